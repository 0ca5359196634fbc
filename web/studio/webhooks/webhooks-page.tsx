import { useEffect, useState } from "preact/hooks";
import type { WebhookList } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { t } from "../language.ts";
import { IconPlus } from "../storage/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { rich } from "../ui/rich.tsx";
import { SecretPanel } from "../ui/secret-panel.tsx";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { heldBackText } from "./texts.ts";
import { WebhookCard } from "./webhook-card.tsx";
import { WebhookDialog } from "./webhook-dialog.tsx";
import "./webhooks-page.css";

/** The company's webhooks. */
export function WebhooksPage() {
  useTitle(t.webhooks.title);
  const [list, setList] = useState<WebhookList | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  /** A new secret, which is shown once. */
  const [shown, setShown] = useState<{ readonly id: string; readonly secret: string } | null>(null);
  // Increased after a change, to load the result at once.
  const [changes, setChanges] = useState(0);
  const refresh = () => setChanges((before) => before + 1);

  useEffect(
    () =>
      poll(async (signal) => {
        try {
          setList(await api.listWebhooks(signal));
          setError(null);
          return false;
        } catch (reason) {
          if (!signal.aborted) setError(messageOf(reason));
          throw reason;
        }
      }),
    [changes],
  );

  const webhooks = list?.items;
  const heldBack = list && heldBackText(list);
  return (
    <div class="webhooks-page">
      <div class="page-intro">
        <div>
          <h1>{t.webhooks.title}</h1>
          <p class="description">
            {rich(t.webhooks.intro, {
              standard: (part) => <a href="https://www.standardwebhooks.com">{part}</a>,
              reference: (part) => <a href="/reference#Webhooks">{part}</a>,
            })}
          </p>
        </div>
        <button type="button" class="button primary" onClick={() => setAdding(true)}>
          <IconPlus />
          {t.webhooks.add}
        </button>
      </div>
      {error && (
        <p class="banner bad" role="alert">
          {error}
        </p>
      )}
      {heldBack && <p class="banner">{heldBack}</p>}
      {!webhooks && !error && <Loading />}
      {webhooks?.length === 0 && (
        <div class="panel webhooks-none">
          <h2>{t.webhooks.none}</h2>
          <p class="hint">{t.webhooks.noneAdvice}</p>
        </div>
      )}
      {webhooks?.map((webhook) => (
        <WebhookCard
          key={webhook.id}
          webhook={webhook}
          onChange={refresh}
          onSecret={(secret) => {
            setShown({ id: webhook.id, secret });
            refresh();
          }}
        >
          {shown?.id === webhook.id && (
            <SecretPanel
              key={shown.secret}
              name={t.webhooks.secret}
              label={t.webhooks.signingSecret}
              secret={shown.secret}
              onDone={() => setShown(null)}
            />
          )}
        </WebhookCard>
      ))}
      {adding && (
        <WebhookDialog
          saved={null}
          onSaved={({ id }, secret) => {
            setAdding(false);
            setShown({ id, secret });
            toast(t.webhooks.added);
            refresh();
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </div>
  );
}
