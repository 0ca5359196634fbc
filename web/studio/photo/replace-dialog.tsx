import { useEffect, useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { scorePhoto, type Verdict } from "../../edit/open.ts";
import { PHOTO_FILES, readPhoto } from "../add/read-photo.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { QualityLine } from "../quality.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { IconPhoto } from "../ui/icons.tsx";
import { toast } from "../ui/toasts.tsx";
import { addReplacement } from "../upload/jobs.ts";

interface Chosen {
  readonly file: File;
  readonly url: string;
  /** Null while it is being scored, and if this browser cannot score it. */
  readonly verdict: Verdict | null;
}

/** Chooses the photo that replaces the one behind a printed QR code. */
export function ReplaceDialog({ content, onClose }: { content: ArContent; onClose: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [error, setError] = useState<string | null>(null);
  const scoring = useRef(new AbortController());
  useEffect(() => () => scoring.current.abort(), []);
  useEffect(() => () => void (chosen && URL.revokeObjectURL(chosen.url)), [chosen?.url]);

  const choose = async (selected: File | undefined) => {
    if (!selected) return;
    scoring.current.abort();
    const { signal } = (scoring.current = new AbortController());
    setError(null);
    setChosen(null);
    try {
      const { file, info } = await readPhoto(selected, signal);
      signal.throwIfAborted();
      const url = URL.createObjectURL(file);
      setChosen({ file: new File([file], file.name, { type: info.mime }), url, verdict: null });
      const verdict = await scorePhoto(file, info, signal);
      setChosen((current) => current && { ...current, verdict });
      setError(verdict.refusal);
    } catch (reason) {
      if (!signal.aborted) setError(messageOf(reason));
    }
  };
  const replace = () => {
    addReplacement(content, chosen!.file);
    toast(t.photo.replace.replacing);
    onClose();
  };
  return (
    <Dialog title={t.photo.replace.title} error={error} onClose={onClose}>
      <p>{t.photo.replace.effect}</p>
      <button type="button" class="attach" onClick={() => input.current!.click()}>
        {chosen ? <img class="replace-preview" src={chosen.url} alt="" /> : <IconPhoto />}
        <span>
          <strong>{chosen ? chosen.file.name : t.photo.replace.choose}</strong>
          {t.photo.replace.formats}
        </span>
      </button>
      {chosen && !chosen.verdict && !error && <p class="hint">{t.photo.replace.scoring}</p>}
      {chosen?.verdict && !error && <QualityLine quality={chosen.verdict.quality} />}
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        accept={PHOTO_FILES}
        tabIndex={-1}
        aria-label={t.photo.replace.file}
        onChange={({ currentTarget }) => {
          void choose(currentTarget.files?.[0]);
          currentTarget.value = "";
        }}
      />
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          {t.ui.cancel}
        </button>
        <button type="button" class="button primary" disabled={!chosen || error !== null} onClick={replace}>
          {t.photo.replace.replace}
        </button>
      </div>
    </Dialog>
  );
}
