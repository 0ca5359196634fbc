import { toast, toastError } from "../toasts.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";
import { loadMe, may, me } from "./me.ts";

const ROLES = ["owner", "admin", "editor", "viewer"];

export function MembersPanel() {
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
          isRow
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
