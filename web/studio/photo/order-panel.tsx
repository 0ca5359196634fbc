import type { ArContent } from "../../../client/client.ts";
import { t } from "../language.ts";

/** The order number and the customer. Hidden if the photo has neither. */
export function OrderPanel({ content }: { content: ArContent }) {
  const { order_number, customer_name, customer_email, customer_phone } = content;
  const facts = [
    [t.photo.order.number, order_number, null],
    [t.photo.order.customer, customer_name, null],
    [
      t.photo.order.email,
      customer_email,
      `mailto:${encodeURIComponent(customer_email ?? "").replace("%40", "@")}`,
    ],
    [t.photo.order.phone, customer_phone, `tel:${customer_phone?.replace(/[^\d+]/g, "")}`],
  ] as const;
  const known = facts.filter(([, value]) => value !== null);
  if (known.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="order-title">
      <h2 id="order-title">{t.photo.order.title}</h2>
      <dl class="facts">
        {known.map(([name, value, href]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd dir="auto">{href ? <a href={href}>{value}</a> : value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
