import { drawCode } from "../../print/code.ts";
import { cssFont } from "../../print/fonts.ts";
import type { PlacedPiece, PrintPage } from "../../print/lay-out.ts";
import type { Mark } from "../../print/piece.ts";

/** A page as it will be printed, with the thumbnails of its photos. */
export function Preview(props: {
  page: PrintPage;
  label: string;
  /** Returns the URL of a picture of a photo, by its index. */
  pictureOf: (photo: number) => string;
}) {
  const { width, height, pieces, lines } = props.page;
  return (
    <svg
      class="print-page"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={props.label}
      style={{ width: `calc(var(--page-height) * ${width / height})` }}
    >
      <rect width={width} height={height} fill="#fff" />
      {pieces.map((piece, at) => (
        <PieceView key={at} piece={piece} picture={props.pictureOf(piece.photo)} />
      ))}
      {lines.map((line, at) => (
        <line key={at} {...line} stroke="#000" stroke-width="0.2" />
      ))}
    </svg>
  );
}

function PieceView({ piece: { piece, box }, picture }: { piece: PlacedPiece; picture: string }) {
  const { width, height, marks, isTurned } = piece;
  const place = isTurned
    ? `translate(${box.x + box.width} ${box.y}) rotate(90)`
    : `translate(${box.x} ${box.y})`;
  return (
    <g transform={place}>
      {marks.map((mark, at) => (
        <MarkView key={at} mark={mark} picture={picture} />
      ))}
      <rect class="print-trim" width={width} height={height} />
    </g>
  );
}

function MarkView({ mark, picture }: { mark: Mark; picture: string }) {
  if (mark.kind === "photo")
    return <image {...mark.box} href={picture} preserveAspectRatio="xMidYMid slice" />;
  if (mark.kind === "code") {
    const { size, path } = drawCode(mark.address);
    const { x, y, width } = mark.box;
    return (
      <g transform={`translate(${x} ${y}) scale(${width / size})`}>
        <rect width={size} height={size} fill="#fff" />
        <path d={path} fill="#000" shape-rendering="crispEdges" />
      </g>
    );
  }
  return (
    <text x={mark.x} y={mark.y} fill="#000" style={{ font: cssFont(mark.weight, mark.size) }}>
      {mark.text}
    </text>
  );
}
