import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Webhook } from "../../../client/client.ts";
import { dateTime } from "../ui/format.ts";
import { IconEdit, IconTrash } from "../ui/icons.tsx";
import { Question } from "../ui/question.tsx";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { DeliveriesLog } from "./deliveries-log.tsx";
import { WebhookDialog } from "./webhook-dialog.tsx";
import { EVENT_WORDS, EVENTS, healthWords, nameOf, offWords } from "./words.ts";

/** A webhook: where it leads, what it tells, how it goes, and the log of what it told. */
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
  /** Counted up by what makes a new line in the log. */
  const [told, setTold] = useState(0);
  const { id, enabled } = webhook;
  const name = nameOf(webhook);
  const off = offWords(webhook);
  const close = () => setOpen(null);

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    await work().catch(toastError);
    setBusy(false);
  };
  const test = () =>
    attempt(async () => {
      await api.testWebhook(id);
      toast("A test is on its way.");
      setTold(told + 1);
      setLogOpen(true);
    });
  const flip = () =>
    attempt(async () => {
      await api.updateWebhook(id, { enabled: !enabled });
      toast(enabled ? "It is switched off." : "It is switched on.");
      setTold(told + 1);
      onChange();
    });

  return (
    <article class="panel webhook" aria-labelledby={`webhook-${id}`}>
      <div class="webhook-title">
        <div>
          <h2 id={`webhook-${id}`}>{name}</h2>
          <p class="webhook-url">{webhook.url}</p>
        </div>
        <span class={`badge ${enabled ? (webhook.failures > 0 ? "pending" : "ready") : "failed"}`}>
          {enabled ? (webhook.failures > 0 ? "Failing" : "On") : "Off"}
        </span>
      </div>
      {props.children}
      {off && <p class={webhook.disabled_reason ? "situation bad" : "hint"}>{off}</p>}
      <ul class="webhook-chips" aria-label="Told when">
        {EVENTS.filter((type) => webhook.events.includes(type)).map((type) => (
          <li key={type} title={type}>
            {EVENT_WORDS[type]}
          </li>
        ))}
      </ul>
      <p class="hint">
        {healthWords(webhook, Date.now())}
        {webhook.previous_secret_expires_at &&
          ` The secret before signs too, until ${dateTime(webhook.previous_secret_expires_at)}.`}
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
          Send a test<span class="visually-hidden"> to {name}</span>
        </button>
        <button type="button" class="button small" disabled={busy} onClick={flip}>
          {enabled ? "Switch off" : "Switch on"}
          <span class="visually-hidden"> {name}</span>
        </button>
        <button type="button" class="button small" onClick={() => setOpen("rotate")}>
          New secret<span class="visually-hidden"> for {name}</span>
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
      {isLogOpen && <DeliveriesLog key={told} webhook={webhook} onChange={onChange} />}

      {open === "edit" && (
        <WebhookDialog
          saved={webhook}
          onSaved={() => {
            close();
            toast("Saved.");
            onChange();
          }}
          onClose={close}
        />
      )}
      {open === "delete" && (
        <Question
          title={`Delete “${name}”?`}
          words="Nothing more is told to it, and the log of what was told goes with it."
          no="Keep it"
          yes="Delete"
          isDanger
          work={async () => {
            await api.deleteWebhook(id);
            toast(`“${name}” is deleted.`);
            close();
            onChange();
          }}
          onClose={close}
        />
      )}
      {open === "rotate" && (
        <Question
          title={`A new secret for “${name}”?`}
          words="For 24 hours requests are signed with both, so that the receiver can change over without missing any."
          no="Cancel"
          yes="Make it"
          work={async () => {
            const { secret } = await api.rotateSecret(id);
            close();
            props.onSecret(secret);
          }}
          onClose={close}
        />
      )}
    </article>
  );
}
