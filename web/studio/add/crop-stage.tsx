import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { targetSize } from "../../../compiler/image/resize.ts";
import type { Quality } from "../../../compiler/quality.ts";
import {
  boundingSize,
  type Cut,
  cutOf,
  direction,
  type Edit,
  type Handle,
  movePiece,
  type Piece,
  pieceOf,
  resizePiece,
  type Size,
} from "../../edit/geometry.ts";
import { t } from "../language.ts";
import { HeatMap } from "../photo/heat-map.tsx";

/** Fractions of the photo's longer side that an arrow key moves by: alone, and with Shift. */
const STEP = 0.01;
const LARGE_STEP = 0.05;

/** Pixels of the shown photo's longer side: enough for the stage on a dense screen. */
const SHOWN_SIZE = 1600;

/** Margin around the photo in CSS pixels: half a touch handle. */
const MARGIN = 22;

const HANDLES = [
  { x: -1, y: -1, name: "topLeft" },
  { x: 0, y: -1, name: "top" },
  { x: 1, y: -1, name: "topRight" },
  { x: 1, y: 0, name: "right" },
  { x: 1, y: 1, name: "bottomRight" },
  { x: 0, y: 1, name: "bottom" },
  { x: -1, y: 1, name: "bottomLeft" },
  { x: -1, y: 0, name: "left" },
] as const satisfies readonly (Handle & { name: string })[];

const ARROWS: Record<string, readonly [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Props {
  readonly file: Blob;
  /** Object URL of the file. */
  readonly url: string;
  /** Upright size of the file's image. */
  readonly photo: Size;
  readonly edit: Edit;
  /** Width by height to keep; null for any. */
  readonly aspect: number | null;
  /** The newest heat map, and the crop that it belongs to. */
  readonly map: { readonly cut: Cut; readonly map: Quality["map"] } | null;
  readonly onChange: (wanted: Piece) => void;
  /** The frame was let go. */
  readonly onSettle: () => void;
}

/** The rotated photo with the crop frame, which is moved by pointer, touch and keyboard. */
export function CropStage({ map, ...props }: Props) {
  const { file, url, photo, edit } = props;
  const [room, setRoom] = useState<Size | null>(null);
  const stage = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = stage.current!;
    const observer = new ResizeObserver(() =>
      setRoom({ width: element.clientWidth - 2 * MARGIN, height: element.clientHeight - 2 * MARGIN }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const bounds = boundingSize(photo, edit.turn);
  /** CSS pixels per pixel of the photo. */
  const zoom = room ? Math.min(room.width / bounds.width, room.height / bounds.height) : 0;
  const degrees = 90 * edit.turn.quarters + edit.turn.tilt;
  return (
    <div class="crop-stage" ref={stage}>
      {zoom > 0 && (
        <>
          <Photo file={file} url={url} size={photo} style={placed({ x: 0, y: 0, ...photo }, zoom, degrees)} />
          {map && (
            <div
              class="crop-map"
              style={placed(whereCut(map.cut, photo, degrees), zoom, degrees - map.cut.degrees)}
            >
              <HeatMap map={map.map} />
            </div>
          )}
          <div class="crop-shade" style={{ clipPath: around(pieceOf(photo, edit), zoom) }} />
          <Frame {...props} zoom={zoom} />
        </>
      )}
    </div>
  );
}

interface PhotoProps {
  readonly file: Blob;
  readonly url: string;
  readonly size: Size;
  readonly style: Record<string, string>;
}

/** The photo, reduced to the pixels of a screen: rotating a full-size phone photo is ten times as slow. */
function Photo({ file, url, size, style }: PhotoProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [reduced, setReduced] = useState(true);
  const { width, height } = targetSize(size.width, size.height, SHOWN_SIZE);
  useLayoutEffect(() => {
    let shown = true;
    createImageBitmap(file, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" }).then(
      (bitmap) => {
        if (shown) canvas.current!.getContext("bitmaprenderer")!.transferFromImageBitmap(bitmap);
        else bitmap.close();
      },
      () => shown && setReduced(false),
    );
    return () => {
      shown = false;
    };
  }, [file, width, height]);
  return reduced ? (
    <canvas class="crop-photo" ref={canvas} width={width} height={height} style={style} />
  ) : (
    <img class="crop-photo" src={url} alt="" draggable={false} style={style} />
  );
}

/** Returns where a crop lies on the photo at its current rotation. */
function whereCut(cut: Cut, photo: Size, degrees: number): Piece {
  const { cos, sin } = direction(degrees);
  const x = cut.x - photo.width / 2;
  const y = cut.y - photo.height / 2;
  return { x: x * cos - y * sin, y: x * sin + y * cos, width: cut.width, height: cut.height };
}

/** Returns the style of a piece that is placed relative to the middle of the stage. */
function placed({ x, y, width, height }: Piece, zoom: number, degrees: number) {
  return {
    width: `${width * zoom}px`,
    height: `${height * zoom}px`,
    transform: `translate(-50%, -50%) translate(${x * zoom}px, ${y * zoom}px) rotate(${degrees}deg)`,
  };
}

/** Returns the clip path of the stage without a piece. */
function around({ x, y, width, height }: Piece, zoom: number): string {
  const at = (offset: number) => `calc(50% + ${offset * zoom}px)`;
  const [left, right] = [at(x - width / 2), at(x + width / 2)];
  const [top, bottom] = [at(y - height / 2), at(y + height / 2)];
  const hole = `${left} ${top}, ${right} ${top}, ${right} ${bottom}, ${left} ${bottom}, ${left} ${top}`;
  return `polygon(evenodd, 0 0, 100% 0, 100% 100%, 0 100%, 0 0, ${hole})`;
}

interface Drag {
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
  readonly piece: Piece;
  readonly handle: Handle | null;
}

function Frame(props: Omit<Props, "map"> & { zoom: number }) {
  const { photo, edit, aspect, zoom, onChange, onSettle } = props;
  const drag = useRef<Drag | null>(null);
  const piece = pieceOf(photo, edit);
  const { width, height } = cutOf(photo, edit);
  const texts = t.add.editor;

  /** A null handle moves the whole frame. Pixels of the photo. */
  const changed = (from: Piece, handle: Handle | null, dx: number, dy: number) =>
    handle
      ? resizePiece({ photo, turn: edit.turn }, from, { handle, dx, dy, aspect })
      : movePiece({ photo, turn: edit.turn }, from, dx, dy);

  const grab = (handle: Handle | null) => (event: PointerEvent) => {
    if (drag.current || event.button !== 0) return;
    event.stopPropagation();
    const target = event.currentTarget as HTMLElement;
    target.setPointerCapture(event.pointerId);
    target.focus();
    event.preventDefault();
    drag.current = { pointer: event.pointerId, x: event.clientX, y: event.clientY, piece, handle };
  };
  const pull = (event: PointerEvent) => {
    const held = drag.current;
    if (held?.pointer !== event.pointerId) return;
    const dx = (event.clientX - held.x) / zoom;
    const dy = (event.clientY - held.y) / zoom;
    onChange(changed(held.piece, held.handle, dx, dy));
  };
  const release = (event: PointerEvent) => {
    if (drag.current?.pointer !== event.pointerId) return;
    drag.current = null;
    onSettle();
  };
  const press = (handle: Handle | null) => (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const step = Math.max(1, Math.max(photo.width, photo.height) * (event.shiftKey ? LARGE_STEP : STEP));
    // A corner that keeps its aspect goes both ways with either arrow.
    const both = aspect !== null && handle ? 2 : 1;
    onChange(changed(piece, handle, both * step * arrow[0], both * step * arrow[1]));
    onSettle();
  };
  const held = (handle: Handle | null) => ({
    onPointerDown: grab(handle),
    onPointerMove: pull,
    onPointerUp: release,
    onPointerCancel: release,
    onKeyDown: press(handle),
  });

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has no place on a photo
    <div
      class="crop-frame"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move it
      tabIndex={0}
      aria-label={texts.crop(width, height)}
      style={placed(piece, zoom, 0)}
      {...held(null)}
    >
      {HANDLES.filter(({ x, y }) => aspect === null || (x !== 0 && y !== 0)).map(({ name, ...handle }) => (
        <button
          key={name}
          type="button"
          class={`crop-handle ${kindOf(handle)}`}
          aria-label={texts.handles[name]}
          style={{ left: `${50 + 50 * handle.x}%`, top: `${50 + 50 * handle.y}%` }}
          {...held(handle)}
        />
      ))}
    </div>
  );
}

function kindOf({ x, y }: Handle): string {
  if (x === 0) return "vertical";
  if (y === 0) return "horizontal";
  return x === y ? "falling" : "rising";
}
