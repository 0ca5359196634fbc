import { useTitle } from "../ui/title.ts";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { NewCompany } from "./entry-pages.tsx";
import { Field, Form, NewPassword } from "./form.tsx";
import { loadMe, me, signOut, switchCompany } from "./me.ts";
import { PasskeysPanel } from "./passkeys-panel.tsx";
import { SessionsPanel } from "./sessions-panel.tsx";
import "./account.css";

/** The person's name, password, passkeys, sessions and companies. */
export function AccountPage() {
  useTitle("Account");
  const { name, email } = me.value!;
  return (
    <div class="account-page">
      <div class="account-head">
        <div>
          <h1>Your account</h1>
          <p class="description">{email}</p>
        </div>
        <button type="button" class="button" onClick={() => void signOut().catch(toastError)}>
          Sign out
        </button>
      </div>
      <section class="panel" aria-labelledby="you-title">
        <h2 id="you-title">Name</h2>
        <Form
          action="Save name"
          isRow
          onSubmit={async (fields) => {
            await api.changeName(fields.name);
            await loadMe();
            toast("Name saved.");
          }}
        >
          <Field label="Your name" name="name" autocomplete="name" maxLength={100} value={name} />
        </Form>
      </section>
      <PasswordPanel />
      <PasskeysPanel />
      <SessionsPanel />
      <CompaniesPanel />
    </div>
  );
}

function PasswordPanel() {
  const { name, email, companies } = me.value!;
  return (
    <section class="panel" aria-labelledby="password-title">
      <h2 id="password-title">Password</h2>
      <Form
        action="Change password"
        onSubmit={async ({ current_password, password }) => {
          await api.changePassword(current_password, password);
          toast("Password changed. All other sessions are signed out.");
        }}
      >
        {/* Password managers read it. */}
        <input type="hidden" name="username" autocomplete="username" value={email} />
        <Field
          label="Current password"
          name="current_password"
          type="password"
          autocomplete="current-password"
        />
        <NewPassword
          label="New password"
          about={[name, email, ...companies.map((company) => company.name)]}
        />
      </Form>
    </section>
  );
}

function CompaniesPanel() {
  const { companies, company } = me.value!;
  return (
    <section class="panel" aria-labelledby="companies-title">
      <h2 id="companies-title">Your companies</h2>
      <ul class="rows">
        {companies.map(({ id, name, role }) => (
          <li key={id}>
            <span>
              <bdi>{name}</bdi> <small>{role}</small>
            </span>
            {id === company?.id ? (
              <span class="hint">current</span>
            ) : (
              <button
                type="button"
                class="button small"
                onClick={() => void switchCompany(id).catch(toastError)}
              >
                Switch<span class="visually-hidden"> to {name}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      <NewCompany />
    </section>
  );
}
