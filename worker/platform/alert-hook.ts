import type { ALERTS } from "../db/tables.ts";
import { type OperatorService, postTo } from "../http/operator-service.ts";

export type AlertName = (typeof ALERTS)[number];

/** A condition as it is sent: when it begins to hold for long enough, when it recurs, and when it ends. */
export interface Alert {
  readonly name: AlertName;
  readonly state: "firing" | "resolved";
  /** One sentence, without names of companies, people or photos. */
  readonly text: string;
  readonly since: number;
  /** The page of the studio with the state of the platform; empty while PUBLIC_URL is missing. */
  readonly url: string;
}

/** The operator's service that receives alerts. */
export interface AlertHook {
  /** Rejects when the alert could not be handed over. */
  send(alert: Alert): Promise<void>;
}

/**
 * Posts alerts as JSON to the operator's service. The field `text` is what chat services such as Slack and Mattermost
 * show.
 */
export class HttpAlertHook implements AlertHook {
  readonly #service: OperatorService;

  constructor(service: OperatorService) {
    this.#service = service;
  }

  send({ name, state, text, since, url }: Alert): Promise<void> {
    const said = `${state === "firing" ? "Alert" : "Resolved"}: ${text}${url && ` ${url}`}`;
    return postTo(this.#service, {
      alert: name,
      state,
      text: said,
      since: new Date(since).toISOString(),
      url,
    });
  }
}
