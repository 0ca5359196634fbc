import { useState } from "preact/hooks";
import type { ApiKey, CreatedApiKey } from "../../../worker/accounts/schemas.ts";
import { dateTime } from "../format.ts";
import { toastError } from "../toasts.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";

const SCOPES = { read: "see", submit: "upload and compile", manage: "change and delete" } as const;
const DAY_MS = 86_400_000;

export function KeysPanel() {
  const [keys, refresh] = useList(api.listApiKeys);
  const [created, setCreated] = useState<CreatedApiKey | null>(null);
  return (
    <section class="panel" aria-labelledby="keys-title">
      <h2 id="keys-title">API keys</h2>
      {created && (
        <div role="status">
          <label class="field">
            The key of {created.name}. Copy it now; it is not shown again.
            <input readOnly value={created.key} onFocus={({ currentTarget }) => currentTarget.select()} />
          </label>
        </div>
      )}
      <ul class="rows">
        {keys?.map(({ id, name, prefix, scopes, expires_at, last_used_at }) => (
          <li key={id}>
            <span>
              {name}
              <small>
                <code>{prefix}…</code>; {scopes.join(", ")};{" "}
                {last_used_at ? `used ${dateTime(last_used_at)}` : "never used"};{" "}
                {expires_at ? `until ${dateTime(expires_at)}` : "no end"}
              </small>
            </span>
            <button
              type="button"
              class="button small danger-quiet"
              onClick={() => void api.revokeApiKey(id).catch(toastError).then(refresh)}
            >
              Revoke<span class="visually-hidden"> {name}</span>
            </button>
          </li>
        ))}
      </ul>
      <Form
        action="Make a key"
        isRow
        onSubmit={async ({ name, days, ...ticked }) => {
          const scopes = (Object.keys(SCOPES) as ApiKey["scopes"]).filter((scope) => ticked[scope]);
          const expires_at = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
          setCreated(await api.createApiKey({ name, scopes, expires_at }));
          await refresh();
        }}
      >
        <fieldset class="scopes">
          <legend>May</legend>
          {Object.entries(SCOPES).map(([scope, what]) => (
            <label key={scope}>
              <input type="checkbox" name={scope} defaultChecked={scope !== "manage"} /> {what}
            </label>
          ))}
        </fieldset>
        <Field label="Name" name="name" autocomplete="off" maxLength={100} />
        <label class="field">
          Good for
          <select name="days">
            <option value="90">90 days</option>
            <option value="365">a year</option>
            <option value="">ever</option>
          </select>
        </label>
      </Form>
    </section>
  );
}
