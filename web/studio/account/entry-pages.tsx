import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, type Invitation, type Mailbox } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import * as api from "./api.ts";
import { Field, Form, NewPassword } from "./form.tsx";
import { loadMe, me, signOut, switchCompany } from "./me.ts";
import { signInWithPasskey, whyNoPasskeys } from "./passkeys.ts";
import "./account.css";

/** Pages for people who are not signed in. The secret of a link follows its #, so that it is not logged. */

const secretOfLink = () => location.hash.slice(1);

function Entry({ title, children }: { title: string; children: ComponentChildren }) {
  useTitle(title);
  return (
    <section class="entry panel">
      <h1>{title}</h1>
      {children}
    </section>
  );
}

/** Opens the studio after an answer that set the session cookie. */
function enter(): void {
  location.assign("/");
}

export function SignInPage() {
  const texts = t.account.entry;
  const [open, setOpen] = useState(false);
  useEffect(() => {
    api.isSetUpOpen().then(setOpen, () => {});
  }, []);
  if (open) {
    return (
      <Entry title={texts.setUpRequired}>
        <p>{texts.openSetUpLink}</p>
      </Entry>
    );
  }
  return (
    <Entry title={texts.signInTitle}>
      <Form
        action={texts.signIn}
        onSubmit={async ({ email, password }) => {
          await api.signIn(email, password);
          await loadMe();
        }}
      >
        <Field label={t.account.email} name="email" type="email" autocomplete="username" />
        <Field label={t.account.password} name="password" type="password" autocomplete="current-password" />
      </Form>
      {"PublicKeyCredential" in window && <PasskeySignIn />}
      <a href="/forgot-password">{texts.forgotPassword}</a>
    </Entry>
  );
}

function PasskeySignIn() {
  const why = whyNoPasskeys();
  if (why !== null) return <p class="hint">{why}</p>;
  return (
    <Form
      action={t.account.entry.signInWithPasskey}
      isSecondary
      onSubmit={async () => {
        await signInWithPasskey();
        await loadMe();
      }}
    >
      {null}
    </Form>
  );
}

export function SetUpPage() {
  const texts = t.account.entry;
  const [token] = useState(secretOfLink);
  const [open, setOpen] = useState<boolean | null>(null);
  useEffect(() => {
    api.isSetUpOpen().then(setOpen, () => setOpen(true));
  }, []);
  if (open === false) {
    return (
      <Entry title={texts.alreadySetUp}>
        <p>{texts.hasOwner}</p>
        <a class="button primary" href="/">
          {texts.signIn}
        </a>
      </Entry>
    );
  }
  return (
    <Entry title={texts.setUpTitle}>
      <p>{texts.setUpEffect}</p>
      <Form
        action={texts.setUp}
        onSubmit={async ({ name, email, password, company_name }) => {
          await api.setUp({ token, name, email, password, company_name });
          enter();
        }}
      >
        <Field label={t.account.yourName} name="name" autocomplete="name" maxLength={100} />
        <Field label={t.account.email} name="email" type="email" autocomplete="username" />
        <NewPassword />
        <Field label={texts.company} name="company_name" autocomplete="organization" maxLength={100} />
      </Form>
    </Entry>
  );
}

export function ForgotPasswordPage() {
  const texts = t.account.entry;
  const [sent, setSent] = useState(false);
  return (
    <Entry title={texts.passwordReset}>
      {sent ? (
        <p role="status">{texts.linkSent}</p>
      ) : (
        <Form
          action={texts.sendLink}
          onSubmit={({ email }) => api.requestPasswordReset(email).then(() => setSent(true))}
        >
          <Field label={t.account.email} name="email" type="email" autocomplete="username" />
        </Form>
      )}
      <a href="/">{texts.backToSignIn}</a>
    </Entry>
  );
}

export function ResetPasswordPage() {
  const texts = t.account.entry;
  const [token] = useState(secretOfLink);
  return (
    <Entry title={t.account.newPassword}>
      <Form
        action={texts.savePassword}
        onSubmit={({ password }) => api.resetPassword(token, password).then(enter)}
      >
        <NewPassword />
      </Form>
    </Entry>
  );
}

export function InvitationPage() {
  const texts = t.account.entry;
  const [token] = useState(secretOfLink);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.getInvitation(token).then(setInvitation, (reason) => setError(messageOf(reason)));
  }, [token]);
  if (!invitation) {
    return <Entry title={texts.invitation}>{error ? <p role="alert">{error}</p> : <Loading />}</Entry>;
  }
  const { email, company, role, inviter } = invitation;
  const join = async () => {
    await api.acceptInvitation(token);
    enter();
  };
  return (
    <Entry title={texts.join(company)}>
      <p>{texts.invited(inviter, email, company, t.account.roles[role])}</p>
      {me.value ? (
        me.value.email === email ? (
          <Form action={texts.joinCompany} onSubmit={join}>
            {null}
          </Form>
        ) : (
          <>
            <p>{texts.signedInAs(me.value.email)}</p>
            <button type="button" class="button" onClick={() => void signOut()}>
              {t.account.signOut}
            </button>
          </>
        )
      ) : (
        <Join invitation={invitation} token={token} onSignedIn={join} />
      )}
    </Entry>
  );
}

/** Asks a person for a new account, or to sign in. Only they know which of the two the address needs. */
function Join(props: { invitation: Invitation; token: string; onSignedIn: () => Promise<void> }) {
  const texts = t.account.entry;
  const { email, company, by_email } = props.invitation;
  const [signsIn, setSignsIn] = useState(!by_email);
  const [hasAccount, setHasAccount] = useState("");
  if (!signsIn) {
    return (
      <>
        <Form
          key="new"
          action={texts.createAccount}
          onSubmit={async ({ name, password }) => {
            try {
              await api.acceptWithNewAccount(props.token, { name, password });
              enter();
            } catch (reason) {
              if (!(reason instanceof ApiError) || reason.code !== "account_exists") throw reason;
              setHasAccount(reason.message);
              setSignsIn(true);
            }
          }}
        >
          <Field label={t.account.yourName} name="name" autocomplete="name" maxLength={100} />
          <NewPassword about={[email, company]} />
        </Form>
        <button type="button" class="button" onClick={() => setSignsIn(true)}>
          {texts.signInInstead}
        </button>
      </>
    );
  }
  return (
    <>
      {hasAccount && <p role="alert">{hasAccount}</p>}
      <Form
        key="existing"
        action={texts.signInAndJoin}
        onSubmit={async ({ password }) => {
          await api.signIn(email, password);
          await props.onSignedIn();
        }}
      >
        <Field
          label={texts.passwordOf(email)}
          name="password"
          type="password"
          autocomplete="current-password"
        />
      </Form>
      {by_email ? (
        !hasAccount && (
          <button type="button" class="button" onClick={() => setSignsIn(false)}>
            {texts.createAccountInstead}
          </button>
        )
      ) : (
        <p class="hint">{texts.noAccountYet(email)}</p>
      )}
      <a href="/forgot-password">{texts.forgotPassword}</a>
    </>
  );
}

/** For a person whose session has no company. */
export function ChooseCompanyPage() {
  const texts = t.account.entry;
  const companies = me.value?.companies ?? [];
  return (
    <Entry title={t.frame.chooseCompany}>
      {companies.map(({ id, name }) => (
        <button key={id} type="button" class="button" onClick={() => void switchCompany(id)}>
          {name}
        </button>
      ))}
      {companies.length === 0 && <p>{texts.noCompany}</p>}
      <NewCompany />
      <button type="button" class="button" onClick={() => void signOut()}>
        {t.account.signOut}
      </button>
    </Entry>
  );
}

export function NewCompany() {
  return (
    <Form
      action={t.account.createCompany}
      isRow
      onSubmit={async ({ name }) => {
        const { id } = await api.createCompany(name);
        await switchCompany(id);
      }}
    >
      <Field label={t.account.companyName} name="name" autocomplete="organization" maxLength={100} />
    </Form>
  );
}

/** The mails that a local Vivimark did not send: `npm start` prints the link to this page. */
export function MailboxPage() {
  const texts = t.account.entry;
  const [token] = useState(secretOfLink);
  const [mailbox, setMailbox] = useState<Mailbox | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.getMailbox(token).then(setMailbox, (reason) => setError(messageOf(reason)));
  }, [token]);
  return (
    <Entry title={texts.mailbox}>
      {error && <p role="alert">{error}</p>}
      {mailbox?.items.length === 0 && <p>{texts.noMail}</p>}
      {mailbox?.items.map(({ id, to, subject, body, created_at }) => (
        <article key={id} class="mail">
          <h2 dir="auto">{subject}</h2>
          <p class="hint">{texts.sentTo(to, dateTime(created_at))}</p>
          <p class="mail-body">{linked(body)}</p>
        </article>
      ))}
    </Entry>
  );
}

function linked(body: string): ComponentChildren {
  return body
    .split(/(https?:\/\/\S+)/)
    .map((part) => (/^https?:/.test(part) ? <a href={part}>{part}</a> : part));
}
