import { useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { OpenPrintDialog } from "../print/open-print-dialog.tsx";
import { codeAddress, PhoneWarning } from "../print/phone-warning.tsx";
import { copyText } from "../ui/copy.ts";
import { IconCopy, IconDownload, IconOpen, IconPrint } from "../ui/icons.tsx";
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
      <h2 id="share-title">Share</h2>
      <div class="share">
        <img class="qr" src={content.qr_url} alt={`QR code of ${address}`} width="148" height="148" />
        <div class="share-text">
          <p class="hint">Print this code next to the photo. Scanning it opens the viewer.</p>
          <div class="share-actions">
            <a class="button small" href={content.qr_url} download={`${qrFileName(content)}.svg`}>
              <IconDownload />
              <span class="visually-hidden">Download </span>SVG
            </a>
            <button type="button" class="button small" onClick={savePng}>
              <IconDownload />
              <span class="visually-hidden">Download </span>PNG
            </button>
          </div>
        </div>
      </div>
      <PhoneWarning address={address} />
      <button type="button" class="button wide" onClick={() => setPrinting(true)}>
        <IconPrint />
        Print sheet
      </button>
      {isPrinting && <OpenPrintDialog photos={[content]} onClose={() => setPrinting(false)} />}
      <div class="link-field">
        <label>
          <span class="visually-hidden">Link to the viewer</span>
          <input
            ref={link}
            readOnly
            value={address}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
        </label>
        <button type="button" class="button" onClick={() => void copyText(address, "Link", link.current)}>
          <IconCopy />
          Copy link
        </button>
      </div>
      <a
        class="button primary wide"
        href={isDebug ? `${content.viewer_url}?debug` : content.viewer_url}
        target="_blank"
        rel="noopener"
      >
        <IconOpen />
        Open viewer
      </a>
      <div class="share-debug">
        <Switch label="Debug view" on={isDebug} onChange={setDebug} />
        <p class="hint">Shows what the player sees, over the camera.</p>
      </div>
    </section>
  );
}
