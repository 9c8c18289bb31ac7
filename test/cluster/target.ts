// The demo server as the target on the cluster under test.
import { kubectl } from "./kubectl.ts";

/** Makes the namespace and in it the server, as the Pod and Service `web`, and waits until it runs. */
export async function startTarget(namespace: string, ...flags: string[]): Promise<void> {
  const inNamespace = ["-n", namespace];
  const command = ["target", "--host", "0.0.0.0", "--port", "8080", ...flags];
  await kubectl(["create", "namespace", namespace]);
  await kubectl(["run", "web", ...inNamespace, "--image=localhost/loadtest:dev", "--", ...command]);
  await kubectl(["expose", "pod", "web", ...inNamespace, "--port=80", "--target-port=8080"]);
  await kubectl(["wait", "--for=condition=Ready", "pod/web", ...inNamespace, "--timeout=60s"]);
}
