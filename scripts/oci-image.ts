// Writes an OCI image archive from files of this machine, without a container engine:
//   oci-image.ts --name NAME --out OUT.tar [--user UID] [--file SOURCE[:PATH]]... -- ENTRYPOINT [ARG...]
// A dynamic executable brings along the libraries that `ldd` names. The same files always give the same bytes.
// Formats: OCI image specification 1.1 (layout, manifest, configuration); POSIX.1-1988 ustar.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

/** One entry of a tar archive; `contents` are the file's bytes in order, absent for a directory. */
interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly contents?: readonly Uint8Array[];
}

interface Image {
  readonly name: string;
  readonly uid: number;
  /** Path in the image → file on this machine. */
  readonly files: ReadonlyMap<string, string>;
  readonly command: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const CA_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const TAR_BLOCK_BYTES = 512;
const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

const text = (content: string): Uint8Array[] => [Buffer.from(content)];
const json = (value: unknown): Uint8Array[] => text(JSON.stringify(value));
const byteLength = (chunks: readonly Uint8Array[]): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);

function sha256(chunks: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** A ustar header owned by root with the epoch as its time, so that only path, mode and size vary. */
function tarHeader(path: string, mode: number, sizeBytes: number, isDirectory: boolean): Uint8Array {
  if (Buffer.byteLength(path) > 100) throw new Error(`Cannot archive "${path}": the path must be at most 100 bytes`);
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  const octal = (value: number, offset: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, "0"), offset);
  header.write(path, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7); // uid
  octal(0, 116, 7); // gid
  octal(sizeBytes, 124, 11);
  octal(0, 136, 11); // mtime
  header.write("        ", 148); // the checksum counts itself as spaces
  header.write(isDirectory ? "5" : "0", 156);
  header.write("ustar\u000000", 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  header.write("\0 ", 154);
  return header;
}

function tar(entries: readonly Entry[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (const { path, mode, contents } of entries) {
    const sizeBytes = byteLength(contents ?? []);
    chunks.push(tarHeader(path, mode, sizeBytes, contents === undefined), ...(contents ?? []));
    chunks.push(new Uint8Array(-sizeBytes & (TAR_BLOCK_BYTES - 1)));
  }
  chunks.push(new Uint8Array(2 * TAR_BLOCK_BYTES));
  return chunks;
}

/** The shared libraries, loader included, of an executable file: the very paths the loader will look for. */
function librariesOf(file: string): string[] {
  if (!readFileSync(file).subarray(0, 4).equals(ELF_MAGIC)) return [];
  const { status, stdout, stderr } = spawnSync("ldd", [file], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status !== 0) {
    if (stderr.includes("not a dynamic executable")) return [];
    throw new Error(`Cannot list the libraries of "${file}": ${stderr}`);
  }
  if (stdout.includes("not found")) throw new Error(`Cannot pack "${file}": it lacks libraries:\n${stdout}`);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
}

function filesystem(image: Image): Entry[] {
  const files = new Map(image.files).set(CA_CERTIFICATES, CA_CERTIFICATES);
  for (const source of image.files.values()) for (const library of librariesOf(source)) files.set(library, library);

  const user = `nonroot:x:${image.uid}`;
  const entries: Entry[] = [
    { path: "tmp/", mode: 0o1777 },
    { path: "etc/passwd", mode: 0o644, contents: text(`root:x:0:0::/:\n${user}:${image.uid}::/:\n`) },
    { path: "etc/group", mode: 0o644, contents: text(`root:x:0:\n${user}:\n`) },
    { path: "etc/nsswitch.conf", mode: 0o644, contents: text("hosts: files dns\n") },
  ];
  for (const [path, source] of files) {
    const contents = readFileSync(source);
    const isExecutable = contents.subarray(0, 4).equals(ELF_MAGIC);
    entries.push({ path: path.slice(1), mode: isExecutable ? 0o755 : 0o644, contents: [contents] });
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function archive(image: Image): Uint8Array[] {
  const blobs: Entry[] = [];
  const addBlob = (mediaType: string, contents: readonly Uint8Array[]): Descriptor => {
    const hex = sha256(contents);
    blobs.push({ path: `blobs/sha256/${hex}`, mode: 0o644, contents });
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: byteLength(contents) };
  };
  const layer = addBlob("layer.v1.tar", tar(filesystem(image)));
  const config = addBlob(
    "config.v1+json",
    json({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { User: `${image.uid}:${image.uid}`, Entrypoint: image.command, WorkingDir: "/" },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    }),
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = addBlob("manifest.v1+json", json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  const annotations = { "io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name };
  return tar([
    { path: "oci-layout", mode: 0o644, contents: json({ imageLayoutVersion: "1.0.0" }) },
    {
      path: "index.json",
      mode: 0o644,
      contents: json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
    },
    ...blobs,
  ]);
}

/** Writes beside the target and renames, so that a reader never meets half an archive. */
function writeWhole(path: string, chunks: readonly Uint8Array[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(`${path}.partial`, "w");
  for (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) offset += writeSync(file, chunk, offset);
  }
  closeSync(file);
  renameSync(`${path}.partial`, path);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: "string" },
    out: { type: "string" },
    user: { type: "string", default: "65532" },
    file: { type: "string", multiple: true, default: [] },
  },
});
if (values.name === undefined || values.out === undefined || positionals.length === 0) {
  throw new Error("Cannot write an image: --name, --out and an entrypoint must be given");
}
const files = new Map(
  values.file.map((pair): [string, string] => {
    const [source = "", path = source] = pair.split(":");
    return [path, source];
  }),
);
writeWhole(values.out, archive({ name: values.name, uid: Number(values.user), files, command: positionals }));
console.log(values.name);
