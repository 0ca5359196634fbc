/** Why a video could not be converted. */
export type VideoProblem =
  /** A track cannot be converted; the parser's reason. */
  | { readonly kind: "video_track" | "sound_track"; readonly reason: string }
  /** The worker did not start, or its reply could not be read. */
  | { readonly kind: "worker_start" | "worker_reply" }
  /** The message of the browser or the parser. */
  | { readonly kind: "other"; readonly message: string };

export class ConversionFailed extends Error {
  override readonly name = "ConversionFailed";
  readonly problem: VideoProblem;

  constructor(problem: VideoProblem) {
    super(problem.kind === "other" ? problem.message : `The video was not converted: ${problem.kind}.`);
    this.problem = problem;
  }
}
