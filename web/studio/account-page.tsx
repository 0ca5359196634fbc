import { useEffect, useState } from "preact/hooks";
import type { ApiKey, CreatedApiKey } from "../../worker/accounts/schemas.ts";
import { loadMe, may, me, signOut } from "./account.ts";
import * as api from "./account-api.ts";
import { NewCompany } from "./entry-pages.tsx";
import { Field, Form } from "./form.tsx";
import { dateTime } from "./format.ts";
import { useTitle } from "./title.ts";
import { toast, toastError } from "./toasts.tsx";
import "./account.css";

/** The company's people and keys, and the person's own sessions. */
export function AccountPage() {
  useTitle("Account");
  const { name, email, company } = me.value!;
  return (
    <div class="account-page">
      <h1>{company?.name}</h1>
      <MembersPanel />
      {may("keys:manage") && <KeysPanel />}
      <SessionsPanel />
      <section class="panel" aria-labelledby="you-title">
        <h2 id="you-title">You</h2>
        <p>
          {name}, {email}
        </p>
        <button type="button" class="button" onClick={() => signOut().catch(toastError)}>
          Sign out
        </button>
        <NewCompany />
      </section>
    </div>
  );
}

/** A list from the server, and how to read it again. */
function useList<T>(read: () => Promise<T[]>): [T[] | null, () => Promise<void>] {
  const [items, setItems] = useState<T[] | null>(null);
  // Read once; afterwards when something was changed.
  const refresh = () => read().then(setItems, toastError);
  useEffect(() => void refresh(), []);
  return [items, refresh];
}

const ROLES = ["owner", "admin", "editor", "viewer"];

function MembersPanel() {
  const [members, refresh] = useList(api.listMembers);
  const [invitations, refreshInvitations] = useList(() =>
    may("members:manage") ? api.listInvitations() : Promise.resolve([]),
  );
  const change = (work: Promise<void>) => work.then(loadMe).catch(toastError).then(refresh);
  const manages = may("members:manage");
  const roles = me.value!.company!.role === "owner" ? ROLES : ROLES.slice(1);
  return (
    <section class="panel" aria-labelledby="members-title">
      <h2 id="members-title">Members</h2>
      <ul class="rows">
        {members?.map(({ id, userId, role, user }) => (
          <li key={id}>
            <span>
              {user.name} <small>{user.email}</small>
            </span>
            {manages && userId !== me.value!.id && roles.includes(role) ? (
              <>
                <select
                  aria-label={`Role of ${user.name}`}
                  value={role}
                  onChange={({ currentTarget }) => void change(api.changeRole(id, currentTarget.value))}
                >
                  {roles.map((name) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
                <button
                  type="button"
                  class="button small danger-quiet"
                  onClick={() => void change(api.removeMember(id))}
                >
                  Remove<span class="visually-hidden"> {user.name}</span>
                </button>
              </>
            ) : (
              <span class="hint">{role}</span>
            )}
          </li>
        ))}
        {invitations?.map(({ id, email, role }) => (
          <li key={id}>
            <span>
              {email} <small>invited as {role}</small>
            </span>
            <button
              type="button"
              class="button small"
              onClick={() => void copy(`${location.origin}/invitation#${id}`)}
            >
              Copy link<span class="visually-hidden"> for {email}</span>
            </button>
            <button
              type="button"
              class="button small danger-quiet"
              onClick={() => void api.cancelInvitation(id).catch(toastError).then(refreshInvitations)}
            >
              Withdraw<span class="visually-hidden"> the invitation of {email}</span>
            </button>
          </li>
        ))}
      </ul>
      {manages && (
        <Form
          action="Invite"
          onSubmit={async ({ email, role }) => {
            await api.invite(email, role);
            toast(`An invitation to ${email} is on its way; its link is in the list.`);
            await refreshInvitations();
          }}
        >
          <Field label="Email" name="email" type="email" autocomplete="off" />
          <label class="field">
            Role
            <select name="role">
              {[...roles].reverse().map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        </Form>
      )}
    </section>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast("The link is copied.");
  } catch {
    toast(text);
  }
}

const SCOPES = { read: "see", submit: "upload and compile", manage: "change and delete" } as const;
const DAY_MS = 86_400_000;

function KeysPanel() {
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
              {name} <code>{prefix}…</code>{" "}
              <small>
                {scopes.join(", ")}; {last_used_at ? `used ${dateTime(last_used_at)}` : "never used"};{" "}
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
        onSubmit={async ({ name, days, ...ticked }) => {
          const scopes = (Object.keys(SCOPES) as ApiKey["scopes"]).filter((scope) => ticked[scope]);
          const expires_at = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
          setCreated(await api.createApiKey({ name, scopes, expires_at }));
          await refresh();
        }}
      >
        <Field label="Name" name="name" autocomplete="off" maxLength={100} />
        <fieldset class="scopes">
          <legend>May</legend>
          {Object.entries(SCOPES).map(([scope, what]) => (
            <label key={scope}>
              <input type="checkbox" name={scope} defaultChecked={scope !== "manage"} /> {what}
            </label>
          ))}
        </fieldset>
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

function SessionsPanel() {
  const [sessions, refresh] = useList(api.listSessions);
  return (
    <section class="panel" aria-labelledby="sessions-title">
      <h2 id="sessions-title">Your sessions</h2>
      <ul class="rows">
        {sessions?.map(({ id, token, userAgent, ipAddress, updatedAt }) => (
          <li key={id}>
            <span>
              {userAgent || "Unknown browser"}{" "}
              <small>{[ipAddress, dateTime(updatedAt)].filter(Boolean).join(", ")}</small>
            </span>
            {id === me.value!.session_id ? (
              <span class="hint">this one</span>
            ) : (
              <button
                type="button"
                class="button small danger-quiet"
                onClick={() => void api.revokeSession(token).catch(toastError).then(refresh)}
              >
                End<span class="visually-hidden"> this session</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
