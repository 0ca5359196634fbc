import { useState } from "preact/hooks";
import type { Role } from "../../../client/client.ts";
import { Question } from "../ui/question.tsx";
import { toast, toastError } from "../ui/toasts.tsx";
import { Waiting } from "../ui/waiting.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";
import { loadMe, may, me } from "./me.ts";

/** Somebody who is about to be no part of the company, once that is said yes to. */
interface Leaving {
  readonly title: string;
  readonly words: string;
  readonly yes: string;
  readonly work: () => Promise<void>;
}

const ROLES: readonly Role[] = ["owner", "admin", "editor", "viewer"];

export function MembersPanel() {
  const [members, refresh, membersError] = useList(api.listMembers);
  const [invitations, refreshInvitations, invitationsError] = useList(() =>
    may("members:manage") ? api.listInvitations() : Promise.resolve([]),
  );
  const [leaving, setLeaving] = useState<Leaving | null>(null);
  const change = (work: Promise<void>) => work.then(loadMe).catch(toastError).then(refresh);
  const manages = may("members:manage");
  const isLoading = !members || !invitations;
  const roles = me.value!.company!.role === "owner" ? ROLES : ROLES.slice(1);
  return (
    <section class="panel" aria-labelledby="members-title">
      <h2 id="members-title">Members</h2>
      {isLoading && <Waiting error={membersError || invitationsError} />}
      <ul class="rows">
        {!isLoading &&
          members.map(({ id, person_id, name, email, role }) => (
            <li key={id}>
              <span>
                {name} <small>{email}</small>
              </span>
              {manages && person_id !== me.value!.id && roles.includes(role) ? (
                <>
                  <select
                    aria-label={`Role of ${name}`}
                    value={role}
                    onChange={({ currentTarget }) =>
                      void change(api.changeRole(id, currentTarget.value as Role))
                    }
                  >
                    {roles.map((each) => (
                      <option key={each}>{each}</option>
                    ))}
                  </select>
                  <button
                    type="button"
                    class="button small danger-quiet"
                    onClick={() =>
                      setLeaving({
                        title: `Remove ${name}?`,
                        words: "They lose access to this company at once. What they added stays.",
                        yes: "Remove",
                        work: () => api.removeMember(id).then(refresh),
                      })
                    }
                  >
                    Remove<span class="visually-hidden"> {name}</span>
                  </button>
                </>
              ) : (
                <span class="hint">{role}</span>
              )}
            </li>
          ))}
        {!isLoading &&
          invitations.map(({ id, email, role }) => (
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
                onClick={() =>
                  setLeaving({
                    title: `Withdraw the invitation of ${email}?`,
                    words: "Its link leads nowhere from now on.",
                    yes: "Withdraw",
                    work: () => api.cancelInvitation(id).then(refreshInvitations),
                  })
                }
              >
                Withdraw<span class="visually-hidden"> the invitation of {email}</span>
              </button>
            </li>
          ))}
      </ul>
      {leaving && (
        <Question
          {...leaving}
          no="Keep"
          isDanger
          work={async () => {
            await leaving.work();
            setLeaving(null);
          }}
          onClose={() => setLeaving(null)}
        />
      )}
      {manages && !isLoading && (
        <Form
          action="Invite"
          isRow
          onSubmit={async ({ email, role }) => {
            await api.invite(email, role as Role);
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
