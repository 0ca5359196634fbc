// Finds the groups of matches that agree about where a target is.
//
// A feature has a place, a scale and an angle, and so has the reference point that it matches: a single match
// predicts an affine map from the target to the frame. Every match votes for the prediction of every other one
// that explains it, like in the generalized Hough transform (Ballard 1981), but without bins: with a few
// hundred matches, all pairs take less time than soft bins in four dimensions.

import type { Features } from "./features.ts";
import type { Matches, PointSet } from "./match.ts";

/** Most matches that vote. The least distances stay. */
const MAX_VOTERS = 512;

/** Largest number of hypotheses. */
const MAX_HYPOTHESES = 5;

/** Fewest votes of a hypothesis, its own included. */
export const LEAST_VOTES = 3;

/**
 * How far a match may be from its prediction: a number of its own scales, and a share of its distance from the
 * match that predicts it, because that one's scale and angle are rough, and perspective is not affine.
 */
const TOLERANCE_SCALES = 2;
const TOLERANCE_SHARE = 0.2;

/** Largest ratio of predicted areas, and largest angle between predicted directions. */
const MAX_AREA_RATIO = 3;
const LEAST_COSINE = Math.cos((35 * Math.PI) / 180);

/** Matches that agree about a target's place. */
export interface Hypothesis {
  readonly target: number;
  readonly votes: number;
  /** From target pixels to frame pixels: row-major 2 × 3, predicted by the match with the most votes. */
  readonly map: Float64Array;
  /** Indexes of the matches that voted, the best explained first. */
  readonly members: readonly number[];
}

/** Columns of the voting matches, allocated once. */
export interface VoteBuffers {
  readonly order: Int32Array;
  /** Of each match: the predicted map (2 × 3), the logarithm of its area, and its direction. */
  readonly maps: Float32Array;
  readonly area: Float32Array;
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  readonly px: Float32Array;
  readonly py: Float32Array;
  readonly qx: Float32Array;
  readonly qy: Float32Array;
  readonly tolerance: Float32Array;
  readonly weight: Float32Array;
  readonly votes: Float32Array;
}

export function createVoteBuffers(): VoteBuffers {
  const column = () => new Float32Array(MAX_VOTERS);
  return {
    order: new Int32Array(MAX_VOTERS),
    maps: new Float32Array(6 * MAX_VOTERS),
    area: column(),
    cos: column(),
    sin: column(),
    px: column(),
    py: column(),
    qx: column(),
    qy: column(),
    tolerance: column(),
    weight: column(),
    votes: column(),
  };
}

/** Returns the best hypotheses, the most votes first. */
export function vote(
  matches: Matches,
  features: Features,
  maxima: PointSet,
  minima: PointSet,
  buffers: VoteBuffers,
): Hypothesis[] {
  const { order } = buffers;
  const count = orderMatches(matches, order);
  for (let i = 0; i < count; i++) {
    const match = order[i];
    const feature = matches.feature[match];
    predict(features, feature, feature < features.maxima ? maxima : minima, matches.point[match], buffers, i);
    buffers.weight[i] = 1;
  }
  countVotes(matches, buffers, count);
  return chooseHypotheses(matches, buffers, count);
}

/** Writes the indexes of the voting matches, target after target; returns their number. */
function orderMatches({ count, distance, target }: Matches, order: Int32Array): number {
  let indexes = Array.from({ length: count }, (_, i) => i);
  if (count > MAX_VOTERS) {
    indexes.sort((a, b) => distance[a] - distance[b] || a - b);
    indexes = indexes.slice(0, MAX_VOTERS);
  }
  indexes.sort((a, b) => target[a] - target[b] || a - b);
  order.set(indexes);
  return indexes.length;
}

/** Writes the map that a match predicts. */
function predict(
  features: Features,
  feature: number,
  set: PointSet,
  point: number,
  buffers: VoteBuffers,
  to: number,
): void {
  const scale = features.scale[feature];
  const cos = scale * Math.cos(features.angle[feature]);
  const sin = scale * Math.sin(features.angle[feature]);
  const [a, b, c, d] = set.frame.subarray(4 * point, 4 * point + 4);
  const m0 = cos * a - sin * c;
  const m1 = cos * b - sin * d;
  const m3 = sin * a + cos * c;
  const m4 = sin * b + cos * d;
  const px = set.x[point];
  const py = set.y[point];
  const qx = features.x[feature];
  const qy = features.y[feature];
  const { maps } = buffers;
  maps[6 * to] = m0;
  maps[6 * to + 1] = m1;
  maps[6 * to + 2] = qx - m0 * px - m1 * py;
  maps[6 * to + 3] = m3;
  maps[6 * to + 4] = m4;
  maps[6 * to + 5] = qy - m3 * px - m4 * py;
  buffers.area[to] = Math.log(m0 * m4 - m1 * m3);
  const length = Math.hypot(m0 + m4, m3 - m1);
  buffers.cos[to] = (m0 + m4) / length;
  buffers.sin[to] = (m3 - m1) / length;
  buffers.px[to] = px;
  buffers.py[to] = py;
  buffers.qx[to] = qx;
  buffers.qy[to] = qy;
  buffers.tolerance[to] = TOLERANCE_SCALES * scale;
}

function countVotes({ target }: Matches, buffers: VoteBuffers, count: number): void {
  const { order, votes } = buffers;
  for (let first = 0, end = 0; first < count; first = end) {
    const group = target[order[first]];
    while (end < count && target[order[end]] === group) end++;
    for (let i = first; i < end; i++) {
      let sum = 0;
      for (let j = first; j < end; j++) sum += support(buffers, i, j);
      votes[i] = sum;
    }
  }
}

const MAX_LOG_AREA = Math.log(MAX_AREA_RATIO);

/** Returns how well match `i` explains match `j`, 0…1. */
function support(buffers: VoteBuffers, i: number, j: number): number {
  const { maps, area, cos, sin, px, py, qx, qy, tolerance } = buffers;
  const ratio = area[i] - area[j];
  if (ratio > MAX_LOG_AREA || ratio < -MAX_LOG_AREA) return 0;
  if (cos[i] * cos[j] + sin[i] * sin[j] < LEAST_COSINE) return 0;
  const at = 6 * i;
  const x = maps[at] * px[j] + maps[at + 1] * py[j] + maps[at + 2];
  const y = maps[at + 3] * px[j] + maps[at + 4] * py[j] + maps[at + 5];
  const dx = x - qx[j];
  const dy = y - qy[j];
  const away = Math.abs(x - qx[i]) + Math.abs(y - qy[i]);
  const most = tolerance[j] + TOLERANCE_SHARE * away;
  const share = (dx * dx + dy * dy) / (most * most);
  return share < 1 ? (1 - share) * buffers.weight[j] : 0;
}

/** Chooses hypotheses one after the other; those that a chosen one explains are left out. */
function chooseHypotheses(matches: Matches, buffers: VoteBuffers, count: number): Hypothesis[] {
  const { order, votes, maps } = buffers;
  const hypotheses: Hypothesis[] = [];
  while (hypotheses.length < MAX_HYPOTHESES) {
    let best = -1;
    for (let i = 0; i < count; i++) {
      if (votes[i] >= LEAST_VOTES && (best === -1 || votes[i] > votes[best])) best = i;
    }
    if (best === -1) break;
    const target = matches.target[order[best]];
    const members: { match: number; share: number }[] = [];
    const mostVotes = votes[best];
    for (let j = 0; j < count; j++) {
      if (matches.target[order[j]] !== target) continue;
      const share = support(buffers, best, j);
      if (share === 0) continue;
      members.push({ match: order[j], share });
      votes[j] = 0;
    }
    members.sort((a, b) => b.share - a.share || a.match - b.match);
    hypotheses.push({
      target,
      votes: mostVotes,
      map: Float64Array.from(maps.subarray(6 * best, 6 * best + 6)),
      members: members.map(({ match }) => match),
    });
  }
  return hypotheses;
}
