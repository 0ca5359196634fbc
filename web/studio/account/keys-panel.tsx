import { useState } from "preact/hooks";
import type { ApiKey, CreatedApiKey } from "../../../client/client.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { SecretPanel } from "../ui/secret-panel.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";

const SCOPES = {
  read: "View (read)",
  submit: "Upload and compile (submit)",
  manage: "Change and delete (manage)",
} as const;
const DAY_MS = 86_400_000;

export function KeysPanel() {
  const [keys, refresh, error] = useList(api.listApiKeys);
  const [created, setCreated] = useState<CreatedApiKey | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  return (
    <section class="panel" aria-labelledby="keys-title">
      <h2 id="keys-title">API keys</h2>
      {created && (
        <SecretPanel
          key={created.id}
          name="Key"
          label={`API key “${created.name}”.`}
          secret={created.key}
          onDone={() => setCreated(null)}
        />
      )}
      {!keys && <Loading error={error} />}
      <ul class="rows">
        {keys?.map((key) => (
          <li key={key.id}>
            <span>
              {key.name}
              <small>
                <code>{key.prefix}…</code>; {key.scopes.join(", ")};{" "}
                {key.last_used_at ? `last used ${dateTime(key.last_used_at)}` : "never used"};{" "}
                {key.expires_at ? `expires ${dateTime(key.expires_at)}` : "never expires"}
              </small>
            </span>
            <button type="button" class="button small danger-quiet" onClick={() => setRevoking(key)}>
              Revoke<span class="visually-hidden"> {key.name}</span>
            </button>
          </li>
        ))}
      </ul>
      {revoking && (
        <ConfirmDialog
          title={`Revoke “${revoking.name}”?`}
          action="Revoke API key"
          isDanger
          work={async () => {
            await api.revokeApiKey(revoking.id);
            if (revoking.id === created?.id) setCreated(null);
            await refresh();
            setRevoking(null);
          }}
          onClose={() => setRevoking(null)}
        >
          Programs that use this API key lose access at once. You cannot undo this.
        </ConfirmDialog>
      )}
      {keys && (
        <Form
          action="Create API key"
          isRow
          onSubmit={async ({ name, days, ...ticked }) => {
            const scopes = (Object.keys(SCOPES) as ApiKey["scopes"]).filter((scope) => ticked[scope]);
            if (scopes.length === 0) throw new Error("Choose at least one scope.");
            const expires_at = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
            setCreated(await api.createApiKey({ name, scopes, expires_at }));
            await refresh();
          }}
        >
          <fieldset class="scopes">
            <legend>Scopes</legend>
            {Object.entries(SCOPES).map(([scope, what]) => (
              <label key={scope}>
                <input type="checkbox" name={scope} defaultChecked={scope !== "manage"} /> {what}
              </label>
            ))}
          </fieldset>
          <Field label="Name" name="name" autocomplete="off" maxLength={100} />
          <label class="field">
            Expires
            <select name="days">
              <option value="90">in 90 days</option>
              <option value="365">in 1 year</option>
              <option value="">never</option>
            </select>
          </label>
        </Form>
      )}
    </section>
  );
}
