import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Webhook } from "../../../client/client.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { dateTime } from "../ui/format.ts";
import { IconEdit, IconTrash } from "../ui/icons.tsx";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { DeliveriesLog } from "./deliveries-log.tsx";
import { disabledText, EVENT_LABELS, EVENTS, healthText, nameOf, statusOf, unverifiedText } from "./texts.ts";
import { WebhookDialog } from "./webhook-dialog.tsx";

/** A webhook: its URL, events, health and deliveries. */
export function WebhookCard(props: {
  webhook: Webhook;
  onChange: () => void;
  onSecret: (secret: string) => void;
  children: ComponentChildren;
}) {
  const { webhook, onChange } = props;
  const [open, setOpen] = useState<"edit" | "delete" | "rotate" | null>(null);
  const [isLogOpen, setLogOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  /** Increased after every change that adds a delivery, to reload the log. */
  const [logVersion, setLogVersion] = useState(0);
  const { id, enabled } = webhook;
  const name = nameOf(webhook);
  const status = statusOf(webhook);
  const off = disabledText(webhook);
  const unverified = unverifiedText(webhook);
  const close = () => setOpen(null);

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    await work().catch(toastError);
    setBusy(false);
  };
  const test = () =>
    attempt(async () => {
      await api.testWebhook(id);
      toast("Sending a test event.");
      setLogVersion(logVersion + 1);
      setLogOpen(true);
    });
  const toggle = () =>
    attempt(async () => {
      await api.updateWebhook(id, { enabled: !enabled });
      toast(enabled ? "Webhook disabled." : "Webhook enabled.");
      setLogVersion(logVersion + 1);
      onChange();
    });

  return (
    <article class="panel webhook" aria-labelledby={`webhook-${id}`}>
      <div class="webhook-title">
        <div>
          <h2 id={`webhook-${id}`} dir="auto">
            {name}
          </h2>
          <p class="webhook-url">{webhook.url}</p>
        </div>
        <span class={`badge ${status.badge}`}>{status.label}</span>
      </div>
      {props.children}
      {unverified && <p class="hint">{unverified}</p>}
      {off && <p class={webhook.disabled_reason ? "situation bad" : "hint"}>{off}</p>}
      <ul class="webhook-chips" aria-label="Events">
        {EVENTS.filter((type) => webhook.events.includes(type)).map((type) => (
          <li key={type} title={type}>
            {EVENT_LABELS[type]}
          </li>
        ))}
      </ul>
      <p class="hint">
        {healthText(webhook, Date.now())}
        {webhook.previous_secret_expires_at &&
          ` The previous secret is valid until ${dateTime(webhook.previous_secret_expires_at)}.`}
      </p>
      <div class="webhook-actions">
        <button
          type="button"
          class="button small"
          aria-expanded={isLogOpen}
          onClick={() => setLogOpen(!isLogOpen)}
        >
          Deliveries<span class="visually-hidden"> of {name}</span>
        </button>
        <button type="button" class="button small" disabled={busy || !enabled} onClick={test}>
          Send test event<span class="visually-hidden"> to {name}</span>
        </button>
        <button type="button" class="button small" disabled={busy} onClick={toggle}>
          {enabled ? "Disable" : "Enable"}
          <span class="visually-hidden"> {name}</span>
        </button>
        <button type="button" class="button small" onClick={() => setOpen("rotate")}>
          Rotate secret<span class="visually-hidden"> of {name}</span>
        </button>
        <span class="webhook-tools">
          <button
            type="button"
            class="icon-button"
            aria-label={`Edit ${name}`}
            onClick={() => setOpen("edit")}
          >
            <IconEdit />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={`Delete ${name}`}
            onClick={() => setOpen("delete")}
          >
            <IconTrash />
          </button>
        </span>
      </div>
      {isLogOpen && <DeliveriesLog key={logVersion} webhook={webhook} onChange={onChange} />}

      {open === "edit" && (
        <WebhookDialog
          saved={webhook}
          onSaved={() => {
            close();
            toast("Changes saved.");
            onChange();
          }}
          onClose={close}
        />
      )}
      {open === "delete" && (
        <ConfirmDialog
          title={`Delete “${name}”?`}
          action="Delete webhook"
          isDanger
          work={async () => {
            await api.deleteWebhook(id);
            toast(`“${name}” deleted.`);
            close();
            onChange();
          }}
          onClose={close}
        >
          This also deletes its deliveries. You cannot undo this.
        </ConfirmDialog>
      )}
      {open === "rotate" && (
        <ConfirmDialog
          title={`Rotate the secret of “${name}”?`}
          action="Rotate secret"
          work={async () => {
            const { secret } = await api.rotateSecret(id);
            close();
            props.onSecret(secret);
          }}
          onClose={close}
        >
          For 24 hours, requests are signed with both secrets, so that your server can switch without missing
          events.
        </ConfirmDialog>
      )}
    </article>
  );
}
