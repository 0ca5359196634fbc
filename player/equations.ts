/**
 * Solves up to eight equations, given row by row (nine numbers each) as the lower triangle of a symmetric matrix and,
 * ninth, the right side (Cholesky decomposition). The solution replaces the right sides.
 *
 * @param leastPivot smallest pivot of equations that can be solved, as a share of their diagonal entry
 * @returns false for a singular matrix
 */
export function solve(equations: Float64Array, unknowns: number, leastPivot: number): boolean {
  for (let i = 0; i < unknowns; i++) {
    const diagonal = equations[10 * i];
    for (let j = 0; j <= i; j++) {
      let sum = equations[9 * i + j];
      for (let k = 0; k < j; k++) sum -= equations[9 * i + k] * equations[9 * j + k];
      if (j < i) equations[9 * i + j] = sum / equations[10 * j];
      else if (sum > leastPivot * diagonal) equations[10 * i] = Math.sqrt(sum);
      else return false;
    }
    let right = equations[9 * i + 8];
    for (let k = 0; k < i; k++) right -= equations[9 * i + k] * equations[9 * k + 8];
    equations[9 * i + 8] = right / equations[10 * i];
  }
  for (let i = unknowns - 1; i >= 0; i--) {
    let sum = equations[9 * i + 8];
    for (let k = i + 1; k < unknowns; k++) sum -= equations[9 * k + i] * equations[9 * k + 8];
    equations[9 * i + 8] = sum / equations[10 * i];
  }
  return true;
}
