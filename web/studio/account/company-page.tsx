import { t } from "../language.ts";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { KeysPanel } from "./keys-panel.tsx";
import { loadMe, may, me } from "./me.ts";
import { MembersPanel } from "./members-panel.tsx";
import "./account.css";

/** The company's members, API keys and name. */
export function CompanyPage() {
  const texts = t.account;
  useTitle(t.frame.pages.company);
  const { name } = me.value!.company!;
  return (
    <div class="account-page">
      <h1 dir="auto">{name}</h1>
      <MembersPanel />
      {may("keys:manage") && <KeysPanel />}
      {may("company:manage") && (
        <section class="panel" aria-labelledby="company-name-title">
          <h2 id="company-name-title">{texts.companyName}</h2>
          <Form
            action={texts.renameCompany}
            isRow
            onSubmit={async (fields) => {
              await api.renameCompany(fields.company_name);
              await loadMe();
              toast(texts.companyRenamed);
            }}
          >
            <Field
              label={texts.nameOfCompany}
              name="company_name"
              autocomplete="organization"
              maxLength={100}
              value={name}
            />
          </Form>
        </section>
      )}
    </div>
  );
}
