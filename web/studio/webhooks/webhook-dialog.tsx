import { useId, useState } from "preact/hooks";
import type { Webhook } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { Dialog } from "../ui/dialog.tsx";
import * as api from "./api.ts";
import { eventText, eventTypes, nameOf } from "./texts.ts";

interface Errors {
  /** Of the URL field. */
  readonly url?: string;
  readonly events?: string;
  readonly rest?: string;
}

/** Adds a webhook, or changes a saved one. */
export function WebhookDialog(props: {
  saved: Webhook | null;
  /** `secret` is that of a new webhook, otherwise empty. */
  onSaved: (webhook: Webhook, secret: string) => void;
  onClose: () => void;
}) {
  const { saved } = props;
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const id = useId();

  const save = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const events = eventTypes().filter((type) => fields.has(type));
    const wanted = {
      url: String(fields.get("url")).trim(),
      events,
      description: String(fields.get("description")),
    };
    const wrong: Errors = {
      ...(wanted.url === "" ? { url: t.webhooks.urlMissing } : {}),
      ...(events.length === 0 ? { events: t.webhooks.eventsMissing } : {}),
    };
    setErrors(wrong);
    if (wrong.url || wrong.events) {
      form.querySelector<HTMLElement>(wrong.url ? "[name=url]" : "[type=checkbox]")?.focus();
      return;
    }
    setBusy(true);
    try {
      if (saved) props.onSaved(await api.updateWebhook(saved.id, wanted), "");
      else {
        const { secret, ...webhook } = await api.createWebhook(wanted);
        props.onSaved(webhook, secret);
      }
    } catch (reason) {
      setBusy(false);
      const url =
        reason instanceof ApiError ? reason.problem.errors?.find(({ field }) => field === "url") : undefined;
      setErrors(url ? { url: url.detail } : { rest: messageOf(reason) });
      if (url) form.querySelector<HTMLElement>("[name=url]")?.focus();
    }
  };

  return (
    <Dialog
      title={saved ? t.webhooks.edit(nameOf(saved)) : t.webhooks.add}
      error={errors.rest ?? null}
      onClose={props.onClose}
    >
      <form
        class="webhook-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void save(event.currentTarget);
        }}
      >
        <div class="field">
          <label for={`${id}-url`}>{t.webhooks.url}</label>
          <input
            id={`${id}-url`}
            name="url"
            type="url"
            maxLength={2048}
            placeholder="https://shop.example.com/vivimark"
            autoComplete="off"
            spellcheck={false}
            defaultValue={saved?.url}
            aria-invalid={errors.url !== undefined}
            aria-describedby={errors.url ? `${id}-url-error` : undefined}
          />
          {errors.url && (
            <p class="field-error" id={`${id}-url-error`}>
              {errors.url}
            </p>
          )}
        </div>
        <label class="field">
          {t.webhooks.description}
          <input
            name="description"
            maxLength={200}
            placeholder={t.webhooks.descriptionExample}
            autoComplete="off"
            defaultValue={saved?.description}
          />
        </label>
        <fieldset class="webhook-events" aria-describedby={errors.events ? `${id}-events-error` : undefined}>
          <legend>{t.webhooks.eventsLegend}</legend>
          {eventTypes().map((type) => (
            <label key={type}>
              <input type="checkbox" name={type} defaultChecked={saved?.events.includes(type) ?? true} />
              <span>
                {eventText(type)} <code>{type}</code>
              </span>
            </label>
          ))}
          {errors.events && (
            <p class="field-error" id={`${id}-events-error`}>
              {errors.events}
            </p>
          )}
        </fieldset>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={props.onClose}>
            {t.ui.cancel}
          </button>
          <button type="submit" class="button primary" disabled={busy} aria-busy={busy}>
            {saved ? t.webhooks.saveChanges : t.webhooks.add}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
