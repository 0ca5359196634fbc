import { useState } from "preact/hooks";
import type { Role } from "../../../client/client.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { copyText } from "../ui/copy.ts";
import { Loading } from "../ui/loading.tsx";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";
import { loadMe, may, me } from "./me.ts";

/** The removal of a member or an invitation, to be confirmed. */
interface Removal {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly work: () => Promise<void>;
}

const ROLES: readonly Role[] = ["owner", "admin", "editor", "viewer"];

export function MembersPanel() {
  const [members, refresh, membersError] = useList(api.listMembers);
  const [invitations, refreshInvitations, invitationsError] = useList(() =>
    may("members:manage") ? api.listInvitations() : Promise.resolve([]),
  );
  const [removal, setRemoval] = useState<Removal | null>(null);
  const change = (work: Promise<void>) => work.then(loadMe).catch(toastError).then(refresh);
  const manages = may("members:manage");
  const isLoading = !members || !invitations;
  const roles = me.value!.company!.role === "owner" ? ROLES : ROLES.slice(1);
  return (
    <section class="panel" aria-labelledby="members-title">
      <h2 id="members-title">Members</h2>
      {isLoading && <Loading error={membersError || invitationsError} />}
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
                      setRemoval({
                        title: `Remove ${name}?`,
                        text: "They lose access to the company at once. The photos they added stay.",
                        action: "Remove member",
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
                onClick={() => void copyText(`${location.origin}/invitation#${id}`, "Link")}
              >
                Copy link<span class="visually-hidden"> for {email}</span>
              </button>
              <button
                type="button"
                class="button small danger-quiet"
                onClick={() =>
                  setRemoval({
                    title: `Withdraw the invitation for ${email}?`,
                    text: "The link of the invitation stops working.",
                    action: "Withdraw invitation",
                    work: () => api.cancelInvitation(id).then(refreshInvitations),
                  })
                }
              >
                Withdraw<span class="visually-hidden"> the invitation for {email}</span>
              </button>
            </li>
          ))}
      </ul>
      {removal && (
        <ConfirmDialog
          title={removal.title}
          action={removal.action}
          isDanger
          work={async () => {
            await removal.work();
            setRemoval(null);
          }}
          onClose={() => setRemoval(null)}
        >
          {removal.text}
        </ConfirmDialog>
      )}
      {manages && !isLoading && (
        <Form
          action="Invite member"
          isRow
          onSubmit={async ({ email, role }) => {
            await api.invite(email, role as Role);
            toast(`Invitation sent to ${email}. You can also copy its link.`);
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
