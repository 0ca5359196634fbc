interface Course {
  readonly path: string;
  /** Error in pixels of each frame; null where none counts, Infinity where nothing was shown. */
  readonly ours: readonly (number | null)[];
  readonly stock: readonly (number | null)[];
}

const WIDTH = 620;
const HEIGHT = 130;
const LEFT = 52;
const GAP = 44;

/** Errors at the bottom and the top of a plot, in pixels. Larger ones, and frames without anything shown, are at the top. */
const LEAST = 0.02;
const MOST = 100;

/** Plots the errors of both players over time as an SVG, one plot below the other. */
export function plotErrors(courses: readonly Course[]): string {
  const total = courses.length * (HEIGHT + GAP) + 40;
  const plots = courses.flatMap(({ path, ours, stock }, i) => {
    const top = 24 + i * (HEIGHT + GAP);
    const y = (error: number) => {
      const share = Math.log(Math.min(Math.max(error, LEAST), MOST) / LEAST) / Math.log(MOST / LEAST);
      return (top + HEIGHT * (1 - share)).toFixed(1);
    };
    const x = (frame: number) => (LEFT + (frame / ours.length) * WIDTH).toFixed(1);
    const course = (errors: readonly (number | null)[], colour: string) => {
      let pen = false;
      const path = errors
        .map((error, frame) => {
          if (error === null) {
            pen = false;
            return "";
          }
          const step = `${pen ? "L" : "M"}${x(frame)} ${y(error)}`;
          pen = true;
          return step;
        })
        .join("");
      return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
    };
    return [
      `<text x="${LEFT}" y="${top - 6}" font-weight="bold">${path}</text>`,
      ...[0.1, 1, 10, 100].flatMap((tick) => [
        `<path d="M${LEFT} ${y(tick)}h${WIDTH}" stroke="#e3e3e3"/>`,
        `<text x="${LEFT - 6}" y="${Number(y(tick)) + 4}" text-anchor="end">${tick} px</text>`,
      ]),
      ...[0, 30, 60, 90, 120, 150].map(
        (tick) => `<text x="${x(tick)}" y="${top + HEIGHT + 16}" text-anchor="middle">${tick / 30} s</text>`,
      ),
      course(stock, "#d62728"),
      course(ours, "#1f77b4"),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${total}" width="${LEFT + WIDTH + 20}" ` +
      'font-family="system-ui, sans-serif" font-size="12" fill="#333">',
    "<title>Error of the corners over time</title>",
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...plots,
    `<path d="M${LEFT} ${total - 14}h24" stroke="#1f77b4" stroke-width="2"/><text x="${LEFT + 30}" y="${total - 10}">ours</text>`,
    `<path d="M${LEFT + 80} ${total - 14}h24" stroke="#d62728" stroke-width="2"/><text x="${LEFT + 110}" y="${total - 10}">MindAR's; at the top, nothing is shown</text>`,
    "</svg>",
    "",
  ].join("\n");
}
