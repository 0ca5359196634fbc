import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { copyText } from "../ui/copy.ts";
import { Loading } from "../ui/loading.tsx";
import { rich } from "../ui/rich.tsx";
import { useTitle } from "../ui/title.ts";
import { getDocument } from "./api.ts";
import {
  type Answer,
  type ApiDocument,
  type Body,
  codesOf,
  curlOf,
  type Entry,
  entriesOf,
  exampleOf,
  fieldsOf,
  limitsOf,
  matches,
  type Parameter,
  type Schema,
  typeOf,
} from "./document.ts";
import "./reference-page.css";

/** The API reference: every operation of the API's document, with its fields, errors and examples. */
export function ReferencePage() {
  useTitle(t.reference.title);
  const [document, setDocument] = useState<ApiDocument | null>(null);
  const [error, setError] = useState("");
  const [search, setSearch] = useState("");

  useEffect(() => {
    const controller = new AbortController();
    getDocument(controller.signal).then(setDocument, (reason) => {
      if (!controller.signal.aborted) setError(messageOf(reason));
    });
    return () => controller.abort();
  }, []);

  const sections = (document?.tags ?? [])
    .map((tag) => ({
      ...tag,
      entries: entriesOf(document!, tag.name).filter((entry) => matches(entry, search)),
    }))
    .filter(({ entries }) => entries.length > 0);

  return (
    <div class="reference">
      <div class="reference-head">
        <h1>{t.reference.title}</h1>
        <a class="quiet-link" href="/api/openapi.json" target="_blank" rel="noopener">
          {t.reference.openApiDocument}
        </a>
      </div>
      {error && (
        <p class="banner" role="alert">
          {error}
        </p>
      )}
      {!document && !error && <Loading />}
      {document && (
        <>
          <p>
            <Text>{document.info.description}</Text>
          </p>
          <div class="reference-columns">
            <div class="reference-side">
              <label class="field">
                {t.reference.search}
                <input
                  type="search"
                  value={search}
                  placeholder="webhook, /video"
                  onInput={({ currentTarget }) => setSearch(currentTarget.value)}
                />
              </label>
              <nav aria-label={t.reference.subjects}>
                {sections.map(({ name, entries }) => (
                  <a key={name} class="quiet-link" href={`#${name}`}>
                    {name} <span class="hint">{entries.length}</span>
                  </a>
                ))}
              </nav>
            </div>
            <div class="reference-sections">
              {sections.length === 0 && <p role="status">{t.reference.noMatch(search)}</p>}
              {sections.map(({ name, description, entries }) => (
                <section key={name} id={name} aria-labelledby={`${name}-title`}>
                  <h2 id={`${name}-title`}>{name}</h2>
                  <p class="hint">
                    <Text>{description}</Text>
                  </p>
                  {entries.map((entry) => (
                    <OperationEntry key={entry.operation.operationId} document={document} entry={entry} />
                  ))}
                </section>
              ))}
            </div>
          </div>
        </>
      )}
    </div>
  );
}

interface OfDocument {
  readonly document: ApiDocument;
}

/** An operation as a row that opens. The address of the page names the one that was opened last. */
function OperationEntry({ document, entry }: OfDocument & { readonly entry: Entry }) {
  const { method, path, operation, isWebhook } = entry;
  const { operationId, summary } = operation;
  const [isOpen, setOpen] = useState(location.hash === `#${operationId}`);

  useEffect(() => {
    const openNamed = () => {
      if (location.hash !== `#${operationId}`) return;
      setOpen(true);
      window.document.getElementById(operationId)!.scrollIntoView();
    };
    openNamed();
    addEventListener("hashchange", openNamed);
    return () => removeEventListener("hashchange", openNamed);
  }, []);

  const toggle = (isNowOpen: boolean) => {
    if (isNowOpen && !isOpen) history.replaceState(history.state, "", `#${operationId}`);
    setOpen(isNowOpen);
  };
  return (
    <details
      id={operationId}
      class="operation"
      open={isOpen}
      onToggle={({ currentTarget }) => toggle(currentTarget.open)}
    >
      <summary>
        <span class={`method ${method.toLowerCase()}`}>{isWebhook ? t.reference.event : method}</span>
        <code>{path}</code>
        <span class="operation-summary">{summary}</span>
      </summary>
      {isOpen && <OperationDetails document={document} entry={entry} />}
    </details>
  );
}

function OperationDetails({ document, entry }: OfDocument & { readonly entry: Entry }) {
  const { operation, isWebhook } = entry;
  const { description, parameters = [], requestBody, responses } = operation;
  const permission = operation["x-permission"];
  return (
    <div class="operation-details">
      {description && (
        <p>
          <Text>{description}</Text>
        </p>
      )}
      {!isWebhook && (
        <p>
          {signedInBy(operation.security)}
          {permission && <> {rich(t.reference.permission, { code: () => <code>{permission}</code> })}</>}
        </p>
      )}
      {parameters.length > 0 && (
        <>
          <h3>{t.reference.parameters}</h3>
          <Rows>
            {parameters.map((parameter) => (
              <ParameterRow key={parameter.name} document={document} parameter={parameter} />
            ))}
          </Rows>
        </>
      )}
      {Object.entries(requestBody?.content ?? {}).map(([type, body]) => (
        <BodyDetails key={type} document={document} title={t.reference.requestBody(type)} body={body} />
      ))}
      {Object.entries(responses)
        .filter(([status]) => Number(status) < 400)
        .map(([status, answer]) => (
          <SuccessDetails key={status} document={document} status={status} answer={answer} />
        ))}
      <Errors responses={responses} />
      {!isWebhook && <Code name={t.reference.command} text={curlOf(document, entry, location.origin)} />}
    </div>
  );
}

/** Returns which credentials a request may have. */
function signedInBy(security: readonly Readonly<Record<string, unknown>>[]): string {
  const credentials: Readonly<Record<string, string>> = t.reference.credentials;
  const names = security
    .flatMap((one) => Object.keys(one))
    .map((name) => credentials[name] ?? name)
    .join(t.reference.or);
  const isOpen = security.length === 0 || security.some((one) => Object.keys(one).length === 0);
  if (names === "") return t.reference.open;
  return isOpen ? t.reference.openOrMore(names) : t.reference.needs(names);
}

function ParameterRow({ document, parameter }: OfDocument & { readonly parameter: Parameter }) {
  const { name, schema, description, required } = parameter;
  return (
    <Row
      name={name}
      type={`${typeOf(document, schema)}, ${parameter.in}`}
      limits={limitsOf(document, schema)}
      isRequired={required}
      description={description}
    />
  );
}

function SuccessDetails({
  document,
  status,
  answer,
}: OfDocument & { readonly status: string; readonly answer: Answer }) {
  const bodies = Object.entries(answer.content ?? {});
  const title = t.reference.response(status, answer.description);
  if (bodies.length === 0) return <h3>{title}</h3>;
  const isJson = bodies[0]![0] === "application/json";
  if (isJson) return <BodyDetails document={document} title={title} body={bodies[0]![1]} />;
  return (
    <>
      <h3>{title}</h3>
      <p>{rich(t.reference.type, { code: () => <code>{bodies.map(([type]) => type).join(", ")}</code> })}</p>
    </>
  );
}

function BodyDetails({
  document,
  title,
  body,
}: OfDocument & { readonly title: string; readonly body: Body }) {
  const example = exampleOf(document, body);
  return (
    <>
      <h3>{title}</h3>
      {body.schema && <Fields document={document} schema={body.schema} />}
      {example && <Code name={t.reference.example} text={example} />}
    </>
  );
}

function Fields({ document, schema }: OfDocument & { readonly schema: Schema }) {
  const fields = fieldsOf(document, schema);
  if (fields.length === 0) return null;
  return (
    <Rows>
      {fields.map(({ name, schema: field, isRequired }) => (
        <Row
          key={name}
          name={name}
          type={typeOf(document, field)}
          limits={limitsOf(document, field)}
          isRequired={isRequired}
          description={field.description}
        >
          {fieldsOf(document, field).length > 0 && (
            <NestedFields document={document} schema={field} name={name} />
          )}
        </Row>
      ))}
    </Rows>
  );
}

function NestedFields({
  document,
  schema,
  name,
}: OfDocument & { readonly schema: Schema; readonly name: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{rich(t.reference.fieldsOf, { code: () => <code>{name}</code> })}</summary>
      {isOpen && <Fields document={document} schema={schema} />}
    </details>
  );
}

function Rows({ children }: { readonly children: ComponentChildren }) {
  return <ul class="reference-rows">{children}</ul>;
}

interface RowProps {
  readonly name: string;
  readonly type: string;
  readonly limits: string;
  readonly isRequired?: boolean;
  readonly description?: string;
  readonly children?: ComponentChildren;
}

function Row({ name, type, limits, isRequired, description, children }: RowProps) {
  return (
    <li>
      <p>
        <code>{name}</code>{" "}
        <span class="hint">
          {[type, limits, isRequired && t.reference.required].filter(Boolean).join(", ")}
        </span>
      </p>
      {description && (
        <p>
          <Text>{description}</Text>
        </p>
      )}
      {children}
    </li>
  );
}

function Errors({ responses }: { readonly responses: Readonly<Record<string, Answer>> }) {
  const errors = Object.entries(responses).filter(([, answer]) => codesOf(answer).length > 0);
  if (errors.length === 0) return null;
  return (
    <>
      <h3>{t.reference.errors}</h3>
      <ul class="reference-rows">
        {errors.map(([status, answer]) => (
          <li key={status} class="reference-codes">
            <span>{status}</span>
            {codesOf(answer).map((code) => (
              <code key={code}>{code}</code>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}

function Code({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <details class="reference-code">
      <summary>{name}</summary>
      <button type="button" class="button small" onClick={() => void copyText(text, name)}>
        {t.reference.copy}
      </button>
      <pre>{text}</pre>
    </details>
  );
}

/** Text of the document, in which backticks enclose code. */
function Text({ children }: { readonly children: string }) {
  return (
    <>
      {children.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}
    </>
  );
}
