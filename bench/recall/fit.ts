import type { Evidence } from "../../compiler/quality/model.ts";
import { modelOf, type ScoredPlayer } from "../../compiler/quality/model.ts";
import { FRAME } from "./camera.ts";
import { type Measured, viewsOf } from "./measured.ts";
import type { Subject } from "./pictures.ts";

/** Keeps the coefficients finite when views are perfectly separable. */
const RIDGE = 0.01;

const ROUNDS = 50;

/** Fits a logistic regression (Newton's method) to every single view of the pictures that are not held out. */
export function fitCoefficients(
  subjects: readonly Subject[],
  evidence: readonly Evidence[],
  player: ScoredPlayer,
  measured: Measured,
): number[] {
  const model = modelOf(player);
  const views = viewsOf(measured);
  const samples = subjects.flatMap(({ name, heldOut }, i) => {
    if (heldOut) return [];
    const marks = measured.pictures.find((picture) => picture.name === name)?.views ?? "";
    return views.map(({ size }, view) => ({
      features: model.features(evidence[i], {
        size: size * FRAME.height,
        isPoor: view >= measured.views,
      }),
      found: marks[view] === "+" ? 1 : 0,
    }));
  });
  let weights = model.coefficients.map(() => 0);
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = weights.map((weight) => -RIDGE * weight);
    const curvature = weights.map((_, i) => weights.map((_, j) => (i === j ? RIDGE : 0)));
    for (const { features, found } of samples) {
      const share = 1 / (1 + Math.exp(-features.reduce((sum, feature, i) => sum + feature * weights[i], 0)));
      for (let i = 0; i < features.length; i++) {
        gradient[i] += (found - share) * features[i];
        for (let j = 0; j < features.length; j++) {
          curvature[i][j] += share * (1 - share) * features[i] * features[j];
        }
      }
    }
    const step = solve(curvature, gradient);
    weights = weights.map((weight, i) => weight + step[i]);
  }
  return weights;
}

/** Solves a small positive definite system by elimination. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let i = 0; i < rows.length; i++) {
    for (let j = i + 1; j < rows.length; j++) {
      const factor = rows[j][i] / rows[i][i];
      for (let k = i; k <= rows.length; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  const solution = rows.map(() => 0);
  for (let i = rows.length - 1; i >= 0; i--) {
    let rest = rows[i][rows.length];
    for (let j = i + 1; j < rows.length; j++) rest -= rows[i][j] * solution[j];
    solution[i] = rest / rows[i][i];
  }
  return solution;
}
