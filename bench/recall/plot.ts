import type { Kind } from "./pictures.ts";

export interface Dot {
  readonly name: string;
  readonly kind: Kind;
  readonly heldOut: boolean;
  /** 0 … 100. */
  readonly score: number;
  /** 0 … 1. */
  readonly share: number;
}

const COLOURS: Readonly<Record<Kind, string>> = {
  photograph: "#1f77b4",
  portrait: "#d62728",
  painting: "#9467bd",
  drawing: "#2ca02c",
  logo: "#8c564b",
  text: "#e08214",
  texture: "#17a2b8",
  pattern: "#7f7f7f",
};

const SIZE = 460;
const LEFT = 58;
const TOP = 24;

/**
 * Plots the measured share over the predicted score as an SVG. Dots of held-out pictures are filled.
 *
 * @param player its name in the label of the axis
 */
export function plotScatter(dots: readonly Dot[], player: string): string {
  const x = (score: number) => LEFT + (score / 100) * SIZE;
  const y = (share: number) => TOP + (1 - share) * SIZE;
  const ticks = [0, 20, 40, 60, 80, 100];
  const grid = ticks.flatMap((tick) => [
    `<path d="M${x(tick)} ${TOP}V${TOP + SIZE}M${LEFT} ${y(tick / 100)}H${LEFT + SIZE}" stroke="#e3e3e3"/>`,
    `<text x="${x(tick)}" y="${TOP + SIZE + 18}" text-anchor="middle">${tick}</text>`,
    `<text x="${LEFT - 8}" y="${y(tick / 100) + 4}" text-anchor="end">${tick} %</text>`,
  ]);
  const marks = dots.map(
    ({ name, kind, heldOut, score, share }) =>
      `<circle cx="${x(score).toFixed(1)}" cy="${y(share).toFixed(1)}" r="5" stroke="${COLOURS[kind]}" ` +
      `stroke-width="1.5" fill="${heldOut ? COLOURS[kind] : "none"}" fill-opacity="0.75">` +
      `<title>${name}: score ${score}, found in ${Math.round(100 * share)} %</title></circle>`,
  );
  const right = LEFT + SIZE + 20;
  const legend = Object.entries(COLOURS).map(
    ([kind, colour], i) =>
      `<circle cx="${right + 6}" cy="${TOP + 10 + i * 22}" r="5" fill="${colour}"/>` +
      `<text x="${right + 18}" y="${TOP + 14 + i * 22}">${kind}</text>`,
  );
  const below = TOP + 30 + legend.length * 22;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${right + 130} ${TOP + SIZE + 48}" ` +
      'width="660" font-family="system-ui, sans-serif" font-size="12" fill="#333">',
    "<title>Measured share of views over predicted score</title>",
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...grid,
    `<path d="M${x(0)} ${y(0)}L${x(100)} ${y(1)}" stroke="#999" stroke-dasharray="5 5"/>`,
    ...marks,
    `<text x="${LEFT + SIZE / 2}" y="${TOP + SIZE + 40}" text-anchor="middle">predicted score</text>`,
    `<text transform="translate(14 ${TOP + SIZE / 2}) rotate(-90)" text-anchor="middle">measured: views in which ${player} finds it</text>`,
    ...legend,
    `<circle cx="${right + 6}" cy="${below}" r="5" fill="#333"/><text x="${right + 18}" y="${below + 4}">held out</text>`,
    `<circle cx="${right + 6}" cy="${below + 22}" r="5" fill="none" stroke="#333"/>`,
    `<text x="${right + 18}" y="${below + 26}">used to fit</text>`,
    "</svg>",
    "",
  ].join("\n");
}
