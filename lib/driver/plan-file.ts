// The plan file of a worker, which somebody may replace while the worker runs.
import { parseWorkerPlan, planHash, type WorkerPlan } from "../load/worker-plan.ts";
import { readTextFile, readTextFileIfPossible } from "../runtime/files.ts";

export class PlanFile {
  readonly #file: string;
  #text: string;
  #plan: WorkerPlan;

  private constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    this.#plan = parseWorkerPlan(text);
  }

  /** Rejects when the file cannot be read, or is no plan. */
  static async open(file: string): Promise<PlanFile> {
    return new PlanFile(file, await readTextFile(file));
  }

  /** As it was last read. */
  get plan(): WorkerPlan {
    return this.#plan;
  }

  /** What acknowledges the plan. */
  get hash(): string {
    return planHash(this.#text);
  }

  /**
   * Reads the file again: whether it holds another text. One that cannot be read for a moment has not changed; throws when
   * it has become no plan.
   */
  hasChanged(): boolean {
    const present = readTextFileIfPossible(this.#file);
    if (present === undefined || present === this.#text) return false;
    this.#plan = parseWorkerPlan(present);
    this.#text = present;
    return true;
  }
}
