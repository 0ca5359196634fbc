import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Webhook } from "../../../client/client.ts";
import { t } from "../language.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { dateTime } from "../ui/format.ts";
import { IconEdit, IconTrash } from "../ui/icons.tsx";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { DeliveriesLog } from "./deliveries-log.tsx";
import {
  disabledText,
  eventText,
  eventTypes,
  healthText,
  nameOf,
  statusOf,
  unverifiedText,
} from "./texts.ts";
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
      toast(t.webhooks.sendingTest);
      setLogVersion(logVersion + 1);
      setLogOpen(true);
    });
  const toggle = () =>
    attempt(async () => {
      await api.updateWebhook(id, { enabled: !enabled });
      toast(enabled ? t.webhooks.nowDisabled : t.webhooks.nowEnabled);
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
      <ul class="webhook-chips" aria-label={t.webhooks.eventsLegend}>
        {eventTypes()
          .filter((type) => webhook.events.includes(type))
          .map((type) => (
            <li key={type} title={type}>
              {eventText(type)}
            </li>
          ))}
      </ul>
      <p class="hint">
        {healthText(webhook, Date.now())}
        {webhook.previous_secret_expires_at &&
          ` ${t.webhooks.previousSecret(dateTime(webhook.previous_secret_expires_at))}`}
      </p>
      <div class="webhook-actions">
        <button
          type="button"
          class="button small"
          aria-label={t.webhooks.showDeliveriesOf(name)}
          aria-expanded={isLogOpen}
          onClick={() => setLogOpen(!isLogOpen)}
        >
          {t.webhooks.showDeliveries}
        </button>
        <button
          type="button"
          class="button small"
          aria-label={t.webhooks.sendTestTo(name)}
          disabled={busy || !enabled}
          onClick={test}
        >
          {t.webhooks.sendTest}
        </button>
        <button
          type="button"
          class="button small"
          aria-label={enabled ? t.webhooks.disableOne(name) : t.webhooks.enableOne(name)}
          disabled={busy}
          onClick={toggle}
        >
          {enabled ? t.webhooks.disable : t.webhooks.enable}
        </button>
        <button
          type="button"
          class="button small"
          aria-label={t.webhooks.rotateOf(name)}
          onClick={() => setOpen("rotate")}
        >
          {t.webhooks.rotate}
        </button>
        <span class="webhook-tools">
          <button
            type="button"
            class="icon-button"
            aria-label={t.webhooks.editOne(name)}
            onClick={() => setOpen("edit")}
          >
            <IconEdit />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={t.webhooks.deleteOne(name)}
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
            toast(t.webhooks.saved);
            onChange();
          }}
          onClose={close}
        />
      )}
      {open === "delete" && (
        <ConfirmDialog
          title={t.webhooks.deleteQuestion(name)}
          action={t.webhooks.delete}
          isDanger
          work={async () => {
            await api.deleteWebhook(id);
            toast(t.webhooks.deleted(name));
            close();
            onChange();
          }}
          onClose={close}
        >
          {t.webhooks.deleteEffect}
        </ConfirmDialog>
      )}
      {open === "rotate" && (
        <ConfirmDialog
          title={t.webhooks.rotateQuestion(name)}
          action={t.webhooks.rotate}
          work={async () => {
            const { secret } = await api.rotateSecret(id);
            close();
            props.onSecret(secret);
          }}
          onClose={close}
        >
          {t.webhooks.rotateEffect}
        </ConfirmDialog>
      )}
    </article>
  );
}
