import { t } from "../language.ts";
import { hidden, rich } from "../ui/rich.tsx";
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
  const texts = t.account;
  useTitle(t.frame.pages.account);
  const { name, email } = me.value!;
  return (
    <div class="account-page">
      <div class="account-head">
        <div>
          <h1>{texts.heading}</h1>
          <p class="description">{email}</p>
        </div>
        <button type="button" class="button" onClick={() => void signOut().catch(toastError)}>
          {texts.signOut}
        </button>
      </div>
      <section class="panel" aria-labelledby="you-title">
        <h2 id="you-title">{texts.name}</h2>
        <Form
          action={texts.saveName}
          isRow
          onSubmit={async (fields) => {
            await api.changeName(fields.name);
            await loadMe();
            toast(texts.nameSaved);
          }}
        >
          <Field label={texts.yourName} name="name" autocomplete="name" maxLength={100} value={name} />
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
  const texts = t.account;
  const { name, email, companies } = me.value!;
  return (
    <section class="panel" aria-labelledby="password-title">
      <h2 id="password-title">{texts.password}</h2>
      <Form
        action={texts.changePassword}
        onSubmit={async ({ current_password, password }) => {
          await api.changePassword(current_password, password);
          toast(texts.passwordChanged);
        }}
      >
        {/* Password managers read it. */}
        <input type="hidden" name="username" autocomplete="username" value={email} />
        <Field
          label={texts.currentPassword}
          name="current_password"
          type="password"
          autocomplete="current-password"
        />
        <NewPassword
          label={texts.newPassword}
          about={[name, email, ...companies.map((company) => company.name)]}
        />
      </Form>
    </section>
  );
}

function CompaniesPanel() {
  const texts = t.account;
  const { companies, company } = me.value!;
  return (
    <section class="panel" aria-labelledby="companies-title">
      <h2 id="companies-title">{texts.companies}</h2>
      <ul class="rows">
        {companies.map(({ id, name, role }) => (
          <li key={id}>
            <span>
              <bdi>{name}</bdi> <small>{texts.roles[role]}</small>
            </span>
            {id === company?.id ? (
              <span class="hint">{texts.currentCompany}</span>
            ) : (
              <button
                type="button"
                class="button small"
                onClick={() => void switchCompany(id).catch(toastError)}
              >
                {rich(texts.switchTo, { hidden, name: () => name })}
              </button>
            )}
          </li>
        ))}
      </ul>
      <NewCompany />
    </section>
  );
}
