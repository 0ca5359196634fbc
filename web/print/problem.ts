/** Why no PDF was made. */
export type PrintProblem =
  /** The browser cannot read the photo with this index. */
  | { readonly kind: "photo"; readonly photo: number }
  /** The server responded to a request for a font with this status. */
  | { readonly kind: "font"; readonly status: number }
  /** The worker did not start, or its reply could not be read. */
  | { readonly kind: "worker_start" | "worker_reply" }
  /** The browser's message. */
  | { readonly kind: "other"; readonly message: string };

export class PrintFailed extends Error {
  override readonly name = "PrintFailed";
  readonly problem: PrintProblem;

  constructor(problem: PrintProblem) {
    super(problem.kind === "other" ? problem.message : `No PDF was made: ${problem.kind}.`);
    this.problem = problem;
  }
}
