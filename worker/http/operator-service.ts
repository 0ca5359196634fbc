const TIMEOUT_MS = 10_000;

/** A service of the operator, whose address and secret are settings. */
export interface OperatorService {
  readonly url: string;
  /** Sent as `Authorization: Bearer …`; empty: not sent. */
  readonly secret: string;
}

/** Posts JSON. Throws unless the service responds with a status from 200 to 299; redirects are not followed. */
export async function postTo({ url, secret }: OperatorService, body: object): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(secret ? { Authorization: `Bearer ${secret}` } : {}),
    },
    body: JSON.stringify(body),
    // workerd does not know "error".
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`The operator's service responded with status ${response.status}.`);
}
