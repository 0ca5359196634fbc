/** Why the viewer cannot show the video through the camera. */
export type Problem =
  | "insecure"
  | "unsupported"
  | "denied"
  | "no_camera"
  | "in_use"
  | "camera_failed"
  | "camera_stopped"
  | "offline"
  | "limited"
  | "bad_marker"
  | "player_failed"
  | "player_stopped";

/** An expected failure of the camera, the download or the player. */
export class ViewerError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem, options);
    this.name = "ViewerError";
    this.problem = problem;
  }
}

/** Problems that trying again on this page cannot solve. */
export const FINAL_PROBLEMS: ReadonlySet<Problem> = new Set(["insecure", "unsupported", "bad_marker"]);
