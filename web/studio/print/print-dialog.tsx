import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { loadFonts, measureOn } from "../../print/fonts.ts";
import {
  type Concern,
  DEFAULT_SETTINGS,
  LIMITS,
  layOut,
  type PrintPlan,
  type PrintSettings,
  settingsOf,
} from "../../print/lay-out.ts";
import { makePdf } from "../../print/make.ts";
import { LABEL_SHEETS } from "../../print/paper.ts";
import type { PrintPhoto } from "../../print/piece.ts";
import type { Measure } from "../../print/text.ts";
import { me } from "../account/me.ts";
import * as api from "../api/content.ts";
import { t } from "../language.ts";
import type { SelectedPhoto } from "../photos/selection.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { count, photoCount } from "../ui/format.ts";
import { IconNext, IconPrevious } from "../ui/icons.tsx";
import { save } from "../ui/save.ts";
import { toast } from "../ui/toasts.tsx";
import { codeAddress, PhoneWarning } from "./phone-warning.tsx";
import { Preview } from "./preview.tsx";
import { problemText } from "./problem-text.ts";
import "./print.css";

const STORED_SETTINGS = "print-settings";

interface PrintDialogProps {
  readonly photos: readonly SelectedPhoto[];
  readonly onClose: () => void;
}

/** Settings and a preview of print sheets, and their download as a PDF. */
export function PrintDialog({ photos, onClose }: PrintDialogProps) {
  const [settings, setSettings] = useState(storedSettings);
  const [error, setError] = useState<string | null>(null);
  const [making, setMaking] = useState<Making | null>(null);
  const measure = useMeasure((reason) => setError(problemText(reason, photos)));
  const printPhotos = useMemo(() => photos.map(printPhotoOf), [photos]);
  const plan = useMemo(
    () => measure && layOut(printPhotos, settings, measure),
    [printPhotos, settings, measure],
  );
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const change = (changed: Partial<PrintSettings>) => setSettings({ ...settings, ...changed });
  const download = async (pages: PrintPlan["pages"]) => {
    const controller = (running.current = new AbortController());
    const { signal } = controller;
    setError(null);
    setMaking({ done: 0, total: pages.length });
    localStorage.setItem(STORED_SETTINGS, JSON.stringify(settings));
    try {
      const file = await makePdf(pages, {
        download: (photo, signal) => api.downloadPhoto(photos[photo], signal),
        title: t.print.documentTitle,
        signal,
        onProgress: (done) => setMaking({ done, total: pages.length }),
      });
      save(file, t.print.fileNames[settings.kind === "labels" ? "labels" : "photos"]);
      toast(t.print.downloaded(pages.length));
      onClose();
    } catch (reason) {
      if (!signal.aborted) setError(problemText(reason, photos));
      setMaking(null);
    }
  };

  const canMakeCodes = me.value?.public_url !== null;
  return (
    <Dialog title={t.print.title} error={error} onClose={onClose}>
      <form
        class="print"
        onSubmit={(event) => {
          event.preventDefault();
          if (plan) void download(plan.pages);
        }}
      >
        <div class="print-settings" inert={making !== null}>
          <SettingsFields settings={settings} onChange={change} />
        </div>
        <div class="print-result">
          {canMakeCodes ? (
            <PhoneWarning address={printPhotos[0].address} />
          ) : (
            <p class="phone-warning" role="note">
              {t.print.noCodes}
            </p>
          )}
          {plan && <Concerns concerns={plan.concerns} photos={photos} settings={settings} />}
          {plan && plan.pages.length > 0 && <Pages plan={plan} photos={photos} />}
        </div>
        {making ? (
          <MakingProgress making={making} onCancel={() => running.current?.abort()} />
        ) : (
          <DialogActions
            submit={t.print.download}
            isRunning={!canMakeCodes || !plan || plan.pages.length === 0}
            onClose={onClose}
          />
        )}
      </form>
    </Dialog>
  );
}

interface Making {
  readonly done: number;
  readonly total: number;
}

function MakingProgress({ making: { done, total }, onCancel }: { making: Making; onCancel: () => void }) {
  const label = t.print.making(count(Math.min(done + 1, total)), count(total));
  return (
    <div class="dialog-actions print-making">
      <p role="status">{label}</p>
      <progress aria-label={label} value={done} max={total} />
      <button type="button" class="button" onClick={onCancel}>
        {t.ui.cancel}
      </button>
    </div>
  );
}

function printPhotoOf(photo: SelectedPhoto): PrintPhoto {
  const quality = photo.marker_status === "ready" ? photo.marker_metadata?.quality : null;
  return {
    title: photo.title,
    orderNumber: photo.order_number,
    address: codeAddress(photo),
    pixels: { width: photo.image_width, height: photo.image_height },
    map: quality?.map ?? null,
    smallest: quality?.print ?? null,
  };
}

function storedSettings(): PrintSettings {
  try {
    return settingsOf(JSON.parse(localStorage.getItem(STORED_SETTINGS) ?? "{}"));
  } catch {
    return DEFAULT_SETTINGS;
  }
}

let loading: Promise<Measure> | null = null;

function useMeasure(onError: (reason: unknown) => void): Measure | null {
  const [measure, setMeasure] = useState<Measure | null>(null);
  useEffect(() => {
    loading ??= loadFonts(document.fonts).then(() =>
      measureOn(document.createElement("canvas").getContext("2d")!),
    );
    loading.then(
      (loaded) => setMeasure(() => loaded),
      (reason) => {
        loading = null;
        onError(reason);
      },
    );
  }, []);
  return measure;
}

interface FieldsProps {
  readonly settings: PrintSettings;
  readonly onChange: (changed: Partial<PrintSettings>) => void;
}

function SettingsFields({ settings, onChange }: FieldsProps) {
  const { kind, sheet, caption, copies } = settings;
  const kinds = t.print.kinds satisfies Record<PrintSettings["kind"], unknown>;
  return (
    <>
      <fieldset class="choices">
        <legend>{t.print.kind}</legend>
        {Object.entries(kinds).map(([value, { name, text }]) => (
          <label key={value} class="choice">
            <input
              type="radio"
              name="kind"
              checked={kind === value}
              onChange={() => onChange({ kind: value as PrintSettings["kind"] })}
            />
            <span>
              <strong>{name}</strong>
              {text}
            </span>
          </label>
        ))}
      </fieldset>
      {kind === "labels" ? (
        <LabelFields settings={settings} onChange={onChange} />
      ) : (
        <PhotoFields settings={settings} onChange={onChange} />
      )}
      {kind !== "corner" && (
        <SelectField
          label={t.print.caption}
          value={caption}
          options={t.print.captions}
          onChange={(caption) => onChange({ caption })}
        />
      )}
      <div class="print-pair">
        <NumberField
          label={t.print.copies}
          value={copies}
          limits={LIMITS.copies}
          onChange={(copies) => onChange({ copies })}
        />
        {kind === "labels" && sheet !== "custom" && (
          <NumberField
            label={t.print.usedLabels}
            value={settings.used}
            limits={[0, labelsOn(sheet) - 1]}
            onChange={(used) => onChange({ used })}
          />
        )}
      </div>
    </>
  );
}

function labelsOn(sheet: keyof typeof LABEL_SHEETS): number {
  return LABEL_SHEETS[sheet].columns * LABEL_SHEETS[sheet].rows;
}

function sheetNames(): Record<PrintSettings["sheet"], string> {
  const length = (millimetres: number) => count(Math.round(10 * millimetres) / 10);
  const sheets = Object.entries(LABEL_SHEETS).map(([name, { paper, label, columns, rows }]) => {
    const { width, height } = label;
    const text = t.print.sheetOf(name, columns * rows, length(width), length(height), t.print.papers[paper]);
    return [name, text];
  });
  return { ...Object.fromEntries(sheets), custom: t.print.customSheet };
}

function LabelFields({ settings, onChange }: FieldsProps) {
  const { sheet, label } = settings;
  return (
    <>
      <SelectField
        label={t.print.sheet}
        value={sheet}
        options={sheetNames()}
        onChange={(sheet) => onChange({ sheet, used: 0 })}
      />
      {sheet === "custom" && (
        <>
          <div class="print-pair">
            <NumberField
              label={t.print.width}
              value={label.width}
              limits={LIMITS.width}
              onChange={(width) => onChange({ label: { ...label, width } })}
            />
            <NumberField
              label={t.print.height}
              value={label.height}
              limits={LIMITS.height}
              onChange={(height) => onChange({ label: { ...label, height } })}
            />
          </div>
          <PaperField settings={settings} onChange={onChange} />
          <MarksField settings={settings} onChange={onChange} />
        </>
      )}
    </>
  );
}

function PhotoFields({ settings, onChange }: FieldsProps) {
  const { kind, size, side, corner, bleed } = settings;
  return (
    <>
      <div class="print-pair">
        <SelectField
          label={t.print.size}
          value={size}
          options={t.print.sizes}
          onChange={(size) => onChange({ size })}
        />
        <PaperField settings={settings} onChange={onChange} />
        <NumberField
          label={t.print.codeSize}
          value={side}
          limits={LIMITS.side}
          onChange={(side) => onChange({ side })}
        />
        <NumberField
          label={t.print.bleed}
          value={bleed}
          limits={LIMITS.bleed}
          onChange={(bleed) => onChange({ bleed })}
        />
      </div>
      {kind === "corner" && (
        <SelectField
          label={t.print.corner}
          value={corner}
          options={t.print.corners}
          onChange={(corner) => onChange({ corner })}
        />
      )}
      <MarksField settings={settings} onChange={onChange} />
    </>
  );
}

function PaperField({ settings, onChange }: FieldsProps) {
  return (
    <SelectField
      label={t.print.paper}
      value={settings.paper}
      options={t.print.papers}
      onChange={(paper) => onChange({ paper })}
    />
  );
}

function MarksField({ settings, onChange }: FieldsProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={settings.hasMarks}
        onChange={({ currentTarget }) => onChange({ hasMarks: currentTarget.checked })}
      />
      {t.print.cropMarks}
    </label>
  );
}

function SelectField<Value extends string>(props: {
  label: string;
  value: Value;
  options: Readonly<Record<Value, string>>;
  onChange: (value: Value) => void;
}) {
  return (
    <label class="field">
      <span>{props.label}</span>
      <select
        value={props.value}
        onChange={({ currentTarget }) => props.onChange(currentTarget.value as Value)}
      >
        {Object.entries<string>(props.options).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A number within limits. While what is typed is not, the last number that was stays. */
function NumberField(props: {
  label: string;
  value: number;
  limits: readonly [number, number];
  onChange: (value: number) => void;
}) {
  const [least, most] = props.limits;
  return (
    <label class="field">
      <span>{props.label}</span>
      <input
        type="number"
        required
        min={least}
        max={most}
        step="any"
        inputMode="decimal"
        defaultValue={String(props.value)}
        onInput={({ currentTarget }) => {
          if (currentTarget.validity.valid) props.onChange(currentTarget.valueAsNumber);
        }}
      />
    </label>
  );
}

/** What would spoil prints, and what to do about it. */
function Concerns(props: {
  concerns: readonly Concern[];
  photos: readonly SelectedPhoto[];
  settings: PrintSettings;
}) {
  if (props.concerns.length === 0) return null;
  return (
    <ul class="print-concerns">
      {props.concerns.map((concern) => (
        <li key={concern.kind}>
          {concernText(concern, props.settings)}
          {"photos" in concern && props.photos.length > 1 && (
            <span dir="auto"> {namesOf(concern.photos.map((at) => props.photos[at].title))}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function concernText(concern: Concern, { kind, corner }: PrintSettings): string {
  const texts = t.print.concerns;
  switch (concern.kind) {
    case "too_large":
      return kind === "labels" ? texts.labelTooLarge : texts.photoTooLarge;
    case "small_code":
      return texts.smallCode;
    case "covers_detail":
      return corner === "auto" ? texts.allCornersDetailed : texts.coversDetail;
    case "unchecked_corner":
      return texts.uncheckedCorner;
    case "small_photo":
      return texts.smallPhoto;
  }
}

const MAX_NAMES = 3;

function namesOf(titles: readonly string[]): string {
  const shown = titles.slice(0, MAX_NAMES).join(", ");
  const more = titles.length - MAX_NAMES;
  return more > 0 ? t.print.namesAndMore(shown, count(more)) : t.print.names(shown);
}

function Pages({ plan: { pages }, photos }: { plan: PrintPlan; photos: readonly SelectedPhoto[] }) {
  const [shown, setShown] = useState(0);
  const at = Math.min(shown, pages.length - 1);
  const pieces = pages.reduce((sum, page) => sum + page.pieces.length, 0);
  const pictureOf = (photo: number) => photos[photo].thumbnail_url ?? photos[photo].image_url;
  const page = count(at + 1);
  const pageCount = count(pages.length);
  return (
    <figure class="print-preview">
      <Preview page={pages[at]} label={t.print.preview(page, pageCount)} pictureOf={pictureOf} />
      <figcaption>
        {pages.length > 1 && (
          <button
            type="button"
            class="icon-button"
            aria-label={t.print.previousPage}
            aria-disabled={at === 0}
            onClick={() => setShown(Math.max(0, at - 1))}
          >
            <IconPrevious />
          </button>
        )}
        <span role="status">{t.print.pageContents(page, pageCount, pieces, photoCount(photos.length))}</span>
        {pages.length > 1 && (
          <button
            type="button"
            class="icon-button"
            aria-label={t.print.nextPage}
            aria-disabled={at === pages.length - 1}
            onClick={() => setShown(Math.min(pages.length - 1, at + 1))}
          >
            <IconNext />
          </button>
        )}
      </figcaption>
      <p class="hint">{t.print.actualSize}</p>
    </figure>
  );
}
