// The CustomResourceDefinition of LoadTestResult, which is data alone: it has neither spec nor status.
import { LoadTestResultData } from "../loadtest/load-test-result.ts";
import { customResource } from "./custom-resource.ts";
import type { Manifest } from "./manifest.ts";

export function loadTestResultResource(): Manifest {
  return customResource({
    kind: "LoadTestResult",
    plural: "loadtestresults",
    shortNames: ["ltr"],
    description:
      "A LoadTestResult is what one run of a LoadTest measured, in full. Written by the controller only; deleted with its LoadTest.",
    data: LoadTestResultData,
    rules: [],
    objectRules: [],
    columns: [
      { name: "Complete", type: "boolean", jsonPath: ".complete" },
      { name: "Completed", type: "integer", jsonPath: ".results.completed" },
      { name: "Seconds", type: "number", jsonPath: ".results.durationSeconds" },
      { name: "Passed", type: "boolean", jsonPath: ".results.passed" },
    ],
  });
}
