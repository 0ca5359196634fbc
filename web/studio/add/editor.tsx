import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { MIN_IMAGE_SIDE } from "../../../compiler/image/inspect.ts";
import type { Quality } from "../../../compiler/quality.ts";
import {
  type Cut,
  cutOf,
  type Edit,
  isUntouched,
  MAX_TILT,
  pieceOf,
  reshapePiece,
  type Size,
  turnedSize,
  turnQuarter,
  untouched,
} from "../../edit/geometry.ts";
import { type OpenPhoto, openPhoto } from "../../edit/open.ts";
import { messageOf } from "../api/errors.ts";
import { language, t } from "../language.ts";
import { HeatLegend } from "../photo/heat-map.tsx";
import { isWeak, QualityAnnouncement, QualityReport } from "../quality.tsx";
import { IconFlip, IconRotateLeft, IconRotateRight } from "../ui/icons.tsx";
import { Switch } from "../ui/switch.tsx";
import { type Candidate, initialEdit, rescore, updateDraft } from "./candidates.ts";
import { CropStage } from "./crop-stage.tsx";

/** Shapes of the crop frame: longer by shorter side; null: any. */
const SHAPES = {
  free: () => null,
  original: ({ width, height }: Size) => Math.max(width / height, height / width),
  square: () => 1,
  small: () => 15 / 10,
  medium: () => 18 / 13,
  a4: () => Math.SQRT2,
} as const;

type ShapeName = keyof typeof SHAPES;

interface Shape {
  readonly name: ShapeName;
  /** Wider than high. */
  readonly isLandscape: boolean;
}

/** The newest score, and the crop that it belongs to. */
interface Scored {
  readonly cut: Cut;
  readonly quality: Quality;
  /** Undefined until it is known. */
  readonly refusal?: string | null;
}

const DEGREES = {
  style: "unit",
  unit: "degree",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
} as const;
const SPOKEN_DEGREES = new Intl.NumberFormat(language, { ...DEGREES, unitDisplay: "long" });
const SHOWN_DEGREES = new Intl.NumberFormat(language, { ...DEGREES, unitDisplay: "narrow" });

/** A tool that rests for this long is scored, even before it is let go. */
const HELD_PAUSE_MS = 120;

/** The time from letting go of a tool to the picture of the new score; read by bench/edit.ts. */
const MEASURE = "vivimark:let-go-to-score";

interface Props {
  readonly candidate: Candidate;
  /** The label of the button that ends the editing. */
  readonly done: string;
  readonly onDone: () => void;
  readonly cancel: string;
  readonly onCancel: () => void;
}

/** Crops, rotates and straightens one photo, and shows the effect on its score. */
export function Editor({ candidate, done, onDone, cancel, onCancel }: Props) {
  const photo = candidate.size!;
  const [edit, setEdit] = useState(() => initialEdit(candidate));
  const [shape, setShape] = useState<Shape>(() => ({ name: "free", isLandscape: isLandscape(photo, edit) }));
  const [mapShown, setMapShown] = useState(true);
  const [making, setMaking] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const { scored, unscored, letGo, make } = useScore(candidate.original, photo, edit);

  const aspect = aspectOf(shape, photo);
  const cut = cutOf(photo, edit);
  const tooSmall = Math.min(cut.width, cut.height) < MIN_IMAGE_SIDE;
  const changed = !isUntouched(photo, edit);
  const texts = t.add.editor;
  const size = texts.size(cut.width, cut.height);

  const change = (next: Edit) => {
    letGo();
    setEdit(next);
  };
  const straighten = (tilt: number) => setEdit((newest) => ({ ...newest, turn: { ...newest.turn, tilt } }));
  /** Called when a tool is let go that changes the edit while it is held. */
  const settle = () => {
    letGo();
    setEdit((newest) => ({ ...newest }));
  };
  const choose = (next: Shape) => {
    setShape(next);
    const ratio = aspectOf(next, photo);
    if (ratio)
      change({ ...edit, wanted: reshapePiece({ photo, turn: edit.turn }, pieceOf(photo, edit), ratio) });
  };
  const turn = (direction: 1 | -1) => {
    setShape({ ...shape, isLandscape: !shape.isLandscape });
    change(turnQuarter(edit, direction));
  };
  const reset = () => {
    const first = untouched(photo);
    setShape({ name: "free", isLandscape: isLandscape(photo, first) });
    change(first);
  };
  const finish = async () => {
    setMaking(true);
    setFailure(null);
    try {
      const made = changed ? await make(cut) : null;
      const verdict = scored?.cut && sameCut(scored.cut, cut) && scored.refusal !== undefined ? scored : null;
      updateDraft(
        candidate,
        changed ? edit : null,
        made,
        verdict && { quality: verdict.quality, refusal: verdict.refusal! },
      );
      if (changed || !verdict) void rescore(candidate);
      onDone();
    } catch (error) {
      setFailure(texts.cannotCrop(messageOf(error)));
      setMaking(false);
    }
  };

  return (
    <>
      <div class="review-body editor">
        <div class="editor-stage">
          <CropStage
            file={candidate.original}
            url={candidate.originalUrl}
            photo={photo}
            edit={edit}
            aspect={aspect}
            map={mapShown && scored ? { cut: scored.cut, map: scored.quality.map } : null}
            onChange={(wanted) => setEdit((newest) => ({ ...newest, wanted }))}
            onSettle={settle}
          />
          <p class="editor-caption">
            <span>{size}</span>
            {mapShown && <HeatLegend />}
            <Switch label={texts.map} on={mapShown} onChange={setMapShown} />
          </p>
        </div>
        <fieldset class="editor-tools" disabled={making}>
          <legend class="visually-hidden">{texts.tools}</legend>
          <div class="tool-row">
            <button type="button" class="button" aria-label={texts.rotateLeft} onClick={() => turn(-1)}>
              <IconRotateLeft />
            </button>
            <button type="button" class="button" aria-label={texts.rotateRight} onClick={() => turn(1)}>
              <IconRotateRight />
            </button>
            <label class="shape">
              <span class="visually-hidden">{texts.shape}</span>
              <select
                value={shape.name}
                onChange={({ currentTarget }) => choose({ ...shape, name: currentTarget.value as ShapeName })}
              >
                {(Object.keys(SHAPES) as ShapeName[]).map((name) => (
                  <option key={name} value={name}>
                    {texts.shapes[name]}
                  </option>
                ))}
              </select>
            </label>
            <button
              type="button"
              class="button"
              aria-label={shape.isLandscape ? texts.portrait : texts.landscape}
              disabled={aspect === null || aspect === 1}
              onClick={() => choose({ ...shape, isLandscape: !shape.isLandscape })}
            >
              <IconFlip />
            </button>
            <button type="button" class="button" disabled={!changed} onClick={reset}>
              {texts.reset}
            </button>
          </div>
          <label class="straighten">
            <span>{texts.straighten}</span>
            <input
              type="range"
              min={-MAX_TILT}
              max={MAX_TILT}
              step={0.1}
              value={edit.turn.tilt}
              aria-valuetext={SPOKEN_DEGREES.format(edit.turn.tilt)}
              onInput={({ currentTarget }) => straighten(Number(currentTarget.value))}
              onChange={settle}
            />
            <output>{SHOWN_DEGREES.format(edit.turn.tilt)}</output>
          </label>
        </fieldset>
        <section class="editor-score" aria-label={texts.score}>
          <Warning>{tooSmall ? texts.tooSmall(size, MIN_IMAGE_SIDE) : scored?.refusal}</Warning>
          {failure && <Warning>{failure}</Warning>}
          {unscored && (
            <p class="warning">
              {t.add.unscored} {unscored}
            </p>
          )}
          {scored && !scored.refusal && isWeak(scored.quality) && (
            <p class="warning">
              {t.add.weak} {t.add.weakAdvice}
            </p>
          )}
          {scored && <QualityReport quality={scored.quality} />}
          {!scored && !unscored && <Waiting />}
          <QualityAnnouncement quality={scored?.quality ?? null} />
        </section>
      </div>
      <div class="review-foot">
        <button type="button" class="button" onClick={onCancel}>
          {cancel}
        </button>
        <button
          type="button"
          class="button primary"
          autofocus
          disabled={making || tooSmall || Boolean(scored?.refusal && sameCut(scored.cut, cut))}
          onClick={finish}
        >
          {making && <span class="spinner" aria-hidden="true" />}
          {making ? texts.cropping : done}
        </button>
      </div>
    </>
  );
}

function Warning({ children }: { children: ComponentChildren }) {
  return children ? (
    <p class="warning bad" role="alert">
      {children}
    </p>
  ) : null;
}

function Waiting() {
  return (
    <p class="hint waiting">
      <span class="spinner" aria-hidden="true" />
      {t.add.scoring}
    </p>
  );
}

/** Scores the edit whenever a tool rests or is let go, in a worker that keeps the photo's pixels. */
function useScore(file: File, photo: Size, edit: Edit) {
  const [scored, setScored] = useState<Scored | null>(null);
  const [unscored, setUnscored] = useState<string | null>(null);
  const open = useRef<OpenPhoto | null>(null);
  const asked = useRef<Cut | null>(null);
  const letGoAt = useRef<number | null>(null);
  const cut = useMemo(() => cutOf(photo, edit), [photo, edit]);

  useLayoutEffect(() => {
    const opened = openPhoto(file, {
      onScored: (scoredCut, quality) => setScored({ cut: scoredCut, quality }),
      onChecked: (checkedCut, refusal) =>
        setScored((newest) =>
          newest?.cut && sameCut(newest.cut, checkedCut) ? { ...newest, refusal } : newest,
        ),
      onFailed: (error) => setUnscored(messageOf(error)),
    });
    open.current = opened;
    return () => opened.close();
  }, [file]);

  // Before the page is painted, so that scoring and painting go on at the same time.
  useLayoutEffect(() => {
    const ask = () => {
      if (asked.current && sameCut(asked.current, cut)) return;
      asked.current = cut;
      open.current!.score(cut);
    };
    if (letGoAt.current !== null || asked.current === null) return ask();
    const pause = setTimeout(ask, HELD_PAUSE_MS);
    return () => clearTimeout(pause);
  }, [cut]);

  useLayoutEffect(() => {
    const start = letGoAt.current;
    if (start === null || !scored || !sameCut(scored.cut, cut)) return;
    letGoAt.current = null;
    requestAnimationFrame(() => performance.measure(MEASURE, { start }));
  }, [scored, cut]);

  return {
    scored,
    unscored,
    letGo: () => (letGoAt.current = performance.now()),
    make: (wanted: Cut) => open.current!.make(wanted),
  };
}

function sameCut(a: Cut, b: Cut): boolean {
  return (
    a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height && a.degrees === b.degrees
  );
}

function isLandscape(photo: Size, { turn }: Edit): boolean {
  const { width, height } = turnedSize(photo, turn);
  return width >= height;
}

/** Width by height; null for any. */
function aspectOf({ name, isLandscape }: Shape, photo: Size): number | null {
  const ratio = SHAPES[name](photo);
  return ratio === null || isLandscape ? ratio : 1 / ratio;
}
