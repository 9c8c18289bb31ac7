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

  /** The one that is followed, which may be older than what the file holds. */
  get plan(): WorkerPlan {
    return this.#plan;
  }

  /** What acknowledges it: others take their shares on this word. */
  get hash(): string {
    return planHash(this.#text);
  }

  /**
   * Reads the file again, and goes on by its plan if that is another, as soon as `follow` does: whether it is another. A
   * file that cannot be read for a moment has not changed. Rejects when it has become no plan, or as `follow` does.
   */
  async followChange(follow: (plan: WorkerPlan) => Promise<void>): Promise<boolean> {
    const text = readTextFileIfPossible(this.#file);
    if (text === undefined || text === this.#text) return false;
    const plan = parseWorkerPlan(text);
    await follow(plan);
    this.#plan = plan;
    this.#text = text;
    return true;
  }
}
