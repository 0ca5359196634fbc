import { useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { t } from "../language.ts";
import { OpenPrintDialog } from "../print/open-print-dialog.tsx";
import { codeAddress, PhoneWarning } from "../print/phone-warning.tsx";
import { copyText } from "../ui/copy.ts";
import { IconCopy, IconDownload, IconOpen, IconPrint } from "../ui/icons.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { save } from "../ui/save.ts";
import { Switch } from "../ui/switch.tsx";
import { toastError } from "../ui/toasts.tsx";
import { downloadPng } from "./qr-code.ts";
import { qrFileName } from "./qr-file-name.ts";

export function SharePanel({ content }: { content: ArContent }) {
  const link = useRef<HTMLInputElement>(null);
  const [isDebug, setDebug] = useState(false);
  const [isPrinting, setPrinting] = useState(false);
  const address = codeAddress(content);

  const savePng = () =>
    downloadPng(content.id).then((png) => save(png, `${qrFileName(content)}.png`), toastError);

  return (
    <section class="panel" aria-labelledby="share-title">
      <h2 id="share-title">{t.photo.share.title}</h2>
      <div class="share">
        <img class="qr" src={content.qr_url} alt={t.photo.share.qrCodeOf(address)} width="148" height="148" />
        <div class="share-text">
          <p class="hint">{t.photo.share.hint}</p>
          <div class="share-actions">
            <a class="button small" href={content.qr_url} download={`${qrFileName(content)}.svg`}>
              <IconDownload />
              {rich(t.photo.share.downloadSvg, { hidden })}
            </a>
            <button type="button" class="button small" onClick={savePng}>
              <IconDownload />
              {rich(t.photo.share.downloadPng, { hidden })}
            </button>
          </div>
        </div>
      </div>
      <PhoneWarning address={address} />
      <button type="button" class="button wide" onClick={() => setPrinting(true)}>
        <IconPrint />
        {t.photo.share.print}
      </button>
      {isPrinting && <OpenPrintDialog photos={[content]} onClose={() => setPrinting(false)} />}
      <div class="link-field">
        <label>
          <span class="visually-hidden">{t.photo.share.linkToViewer}</span>
          <input
            ref={link}
            readOnly
            value={address}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
        </label>
        <button
          type="button"
          class="button"
          onClick={() => void copyText(address, t.photo.share.link, link.current)}
        >
          <IconCopy />
          {t.photo.share.copyLink}
        </button>
      </div>
      <a
        class="button primary wide"
        href={isDebug ? `${content.viewer_url}?debug` : content.viewer_url}
        target="_blank"
        rel="noopener"
      >
        <IconOpen />
        {t.photo.share.openViewer}
      </a>
      <div class="share-debug">
        <Switch label={t.photo.share.debug} on={isDebug} onChange={setDebug} />
        <p class="hint">{t.photo.share.debugHint}</p>
      </div>
    </section>
  );
}
