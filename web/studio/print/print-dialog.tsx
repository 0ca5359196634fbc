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
import { LABEL_SHEETS, PAPERS, PRINT_SIZES } from "../../print/paper.ts";
import type { PrintPhoto } from "../../print/piece.ts";
import type { Measure } from "../../print/text.ts";
import { me } from "../account/me.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import type { SelectedPhoto } from "../photos/selection.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { count, photoCount } from "../ui/format.ts";
import { IconNext, IconPrevious } from "../ui/icons.tsx";
import { save } from "../ui/save.ts";
import { toast } from "../ui/toasts.tsx";
import { codeAddress, PhoneWarning } from "./phone-warning.tsx";
import { Preview } from "./preview.tsx";
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
  const measure = useMeasure(setError);
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
        titleOf: (photo) => photos[photo].title,
        signal,
        onProgress: (done) => setMaking({ done, total: pages.length }),
      });
      save(file, settings.kind === "labels" ? "labels.pdf" : "photos.pdf");
      toast(`PDF with ${pageCount(pages.length)} downloaded.`);
      onClose();
    } catch (reason) {
      if (!signal.aborted) setError(messageOf(reason as Error));
      setMaking(null);
    }
  };

  const canMakeCodes = me.value?.public_url !== null;
  return (
    <Dialog title="Print sheet" error={error} onClose={onClose}>
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
              QR codes cannot be made until the operator sets PUBLIC_URL to the address of this installation.
            </p>
          )}
          {plan && <Concerns concerns={plan.concerns} photos={photos} settings={settings} />}
          {plan && plan.pages.length > 0 && <Pages plan={plan} photos={photos} />}
        </div>
        {making ? (
          <MakingProgress making={making} onCancel={() => running.current?.abort()} />
        ) : (
          <DialogActions
            submit="Download PDF"
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
  const label = `Making page ${count(Math.min(done + 1, total))} of ${count(total)}`;
  return (
    <div class="dialog-actions print-making">
      <p role="status">{label}</p>
      <progress aria-label={label} value={done} max={total} />
      <button type="button" class="button" onClick={onCancel}>
        Cancel
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

function useMeasure(onError: (message: string) => void): Measure | null {
  const [measure, setMeasure] = useState<Measure | null>(null);
  useEffect(() => {
    loading ??= loadFonts(document.fonts).then(() =>
      measureOn(document.createElement("canvas").getContext("2d")!),
    );
    loading.then(
      (loaded) => setMeasure(() => loaded),
      (reason) => {
        loading = null;
        onError(messageOf(reason));
      },
    );
  }, []);
  return measure;
}

interface FieldsProps {
  readonly settings: PrintSettings;
  readonly onChange: (changed: Partial<PrintSettings>) => void;
}

const KINDS: Readonly<Record<PrintSettings["kind"], readonly [name: string, text: string]>> = {
  labels: ["Labels", "QR code with title or order number"],
  beside: ["Photos, code beside", "On a white strip at the short side"],
  corner: ["Photos, code in a corner", "Where the photo has the least detail"],
};

function SettingsFields({ settings, onChange }: FieldsProps) {
  const { kind, sheet, caption, copies } = settings;
  return (
    <>
      <fieldset class="choices">
        <legend>Print</legend>
        {Object.entries(KINDS).map(([value, [name, text]]) => (
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
          label="Text"
          value={caption}
          options={{
            both: "Title and order number",
            title: "Title",
            order_number: "Order number",
            none: "None",
          }}
          onChange={(caption) => onChange({ caption })}
        />
      )}
      <div class="print-pair">
        <NumberField
          label="Copies of each"
          value={copies}
          limits={LIMITS.copies}
          onChange={(copies) => onChange({ copies })}
        />
        {kind === "labels" && sheet !== "custom" && (
          <NumberField
            label="Used labels to skip"
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

const SHEETS = {
  ...(Object.fromEntries(
    Object.entries(LABEL_SHEETS).map(([name, { paper, label, columns, rows }]) => [
      name,
      `Avery ${name}: ${columns * rows} of ${round(label.width)} × ${round(label.height)} mm, ${PAPERS[paper].label}`,
    ]),
  ) as Record<keyof typeof LABEL_SHEETS, string>),
  custom: "Plain paper, other size",
} satisfies Record<PrintSettings["sheet"], string>;

function round(length: number): string {
  return String(Math.round(10 * length) / 10);
}

function LabelFields({ settings, onChange }: FieldsProps) {
  const { sheet, label } = settings;
  return (
    <>
      <SelectField
        label="Label sheet"
        value={sheet}
        options={SHEETS}
        onChange={(sheet) => onChange({ sheet, used: 0 })}
      />
      {sheet === "custom" && (
        <>
          <div class="print-pair">
            <NumberField
              label="Width, mm"
              value={label.width}
              limits={LIMITS.width}
              onChange={(width) => onChange({ label: { ...label, width } })}
            />
            <NumberField
              label="Height, mm"
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
          label="Photo size"
          value={size}
          options={labelsOf(PRINT_SIZES)}
          onChange={(size) => onChange({ size })}
        />
        <PaperField settings={settings} onChange={onChange} />
        <NumberField
          label="Code size, mm"
          value={side}
          limits={LIMITS.side}
          onChange={(side) => onChange({ side })}
        />
        <NumberField
          label="Bleed, mm"
          value={bleed}
          limits={LIMITS.bleed}
          onChange={(bleed) => onChange({ bleed })}
        />
      </div>
      {kind === "corner" && (
        <SelectField
          label="Corner"
          value={corner}
          options={{
            auto: "Least detail, for each photo",
            "bottom-right": "Bottom right",
            "bottom-left": "Bottom left",
            "top-right": "Top right",
            "top-left": "Top left",
          }}
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
      label="Paper"
      value={settings.paper}
      options={labelsOf(PAPERS)}
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
      Crop marks
    </label>
  );
}

function labelsOf<Name extends string>(
  named: Readonly<Record<Name, { readonly label: string }>>,
): Record<Name, string> {
  const entries = Object.entries<{ readonly label: string }>(named).map(([name, { label }]) => [name, label]);
  return Object.fromEntries(entries);
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
  switch (concern.kind) {
    case "too_large":
      return `The ${kind === "labels" ? "label" : "photo"} does not fit on the paper. Choose a smaller size.`;
    case "small_code":
      return "Phones may not read such small QR codes. Choose a larger size.";
    case "covers_detail":
      return corner === "auto"
        ? "Every corner has detail that phones need to find the photo. Print the code beside it."
        : "The code covers detail that phones need to find the photo. Choose another corner.";
    case "unchecked_corner":
      return "The corner was not checked: the marker is not ready.";
    case "small_photo":
      return "Phones find photos with this little detail only in larger prints.";
  }
}

const MAX_NAMES = 3;

function namesOf(titles: readonly string[]): string {
  const shown = titles.slice(0, MAX_NAMES).join(", ");
  const more = titles.length - MAX_NAMES;
  return more > 0 ? `(${shown} and ${count(more)} more)` : `(${shown})`;
}

function Pages({ plan: { pages }, photos }: { plan: PrintPlan; photos: readonly SelectedPhoto[] }) {
  const [shown, setShown] = useState(0);
  const at = Math.min(shown, pages.length - 1);
  const pieces = pages.reduce((sum, page) => sum + page.pieces.length, 0);
  const pictureOf = (photo: number) => photos[photo].thumbnail_url ?? photos[photo].image_url;
  const label = `Page ${count(at + 1)} of ${count(pages.length)}`;
  return (
    <figure class="print-preview">
      <Preview page={pages[at]} label={`Preview: ${label}`} pictureOf={pictureOf} />
      <figcaption>
        {pages.length > 1 && (
          <button
            type="button"
            class="icon-button"
            aria-label="Previous page"
            aria-disabled={at === 0}
            onClick={() => setShown(Math.max(0, at - 1))}
          >
            <IconPrevious />
          </button>
        )}
        <span role="status">
          {label}, {count(pieces)} {pieces === 1 ? "print" : "prints"} of {photoCount(photos.length)}
        </span>
        {pages.length > 1 && (
          <button
            type="button"
            class="icon-button"
            aria-label="Next page"
            aria-disabled={at === pages.length - 1}
            onClick={() => setShown(Math.min(pages.length - 1, at + 1))}
          >
            <IconNext />
          </button>
        )}
      </figcaption>
      <p class="hint">Print the PDF at its actual size, 100 %.</p>
    </figure>
  );
}

function pageCount(value: number): string {
  return `${count(value)} ${value === 1 ? "page" : "pages"}`;
}
