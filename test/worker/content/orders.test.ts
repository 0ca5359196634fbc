import { describe, expect, it } from "vitest";
import { auditLog } from "../../../worker/db/tables.ts";
import type { ArContent, BatchResult, ContentPage, Project } from "../../../worker/schemas.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { png } from "../fixtures.ts";

const edge = new Edge();

const CUSTOMER = {
  customer_name: "Анна Ковалёва",
  customer_email: "Anna@Example.net",
  customer_phone: "+7 912 345-67-89",
};

let orders = 0;
const newNumber = () => `З-${(orders += 1)}/2026`;

const patch = (id: string, change: object) => edge.fetch(`/api/ar-content/${id}`, json("PATCH", change));
const changed = (id: string, change: object) =>
  edge.json<ArContent>(`/api/ar-content/${id}`, json("PATCH", change));
const submit = async (fields: Record<string, string>) => (await edge.submit(fields)).content;
const newProject = async () => (await edge.json<Project>("/api/projects", json("POST", { name: "P" }))).id;

async function find(q: string): Promise<string[]> {
  const { items } = await edge.json<ContentPage>(`/api/ar-content?q=${encodeURIComponent(q)}`);
  return items.map(({ id }) => id);
}

describe("the order of a photo", () => {
  it("is stored, shown, changed and removed", async () => {
    const order_number = newNumber();
    const content = await submit({ order_number: ` ${order_number}\n`, ...CUSTOMER });
    expect(content).toMatchObject({ order_number, ...CUSTOMER });
    const moved = { order_number: newNumber(), customer_phone: null };
    expect(await changed(content.id, moved)).toMatchObject({ ...CUSTOMER, ...moved });
    const none = { order_number: null, customer_name: null, customer_email: null, customer_phone: null };
    expect(
      await changed(content.id, { order_number: "", customer_name: "", customer_email: null }),
    ).toMatchObject(none);
    expect(await submit({})).toMatchObject(none);
  });

  it("is found by each of its fields, in any case, after changes of others at the same moment", async () => {
    const { id } = await submit({ order_number: "Old-number", customer_name: "Old name" });
    await Promise.all([
      changed(id, { order_number: "Заказ-77" }),
      changed(id, CUSTOMER),
      changed(id, { title: "Portrait", description: "of two\nlines" }),
    ]);
    for (const q of ["заказ-77", "АННА КОВАЛЁВА", "anna@example", "345-67-89", "portrait", "lines"]) {
      expect([q, await find(q)]).toEqual([q, [id]]);
    }
    expect(await find("old")).toEqual([]);
    await changed(id, { customer_email: null });
    expect(await find("anna@example")).toEqual([]);
  });

  it.each([
    ["order_number", "x".repeat(65)],
    ["order_number", "\u200b"],
    ["customer_name", "x".repeat(201)],
    ["customer_email", "x".repeat(255)],
    ["customer_phone", "x".repeat(41)],
    ["customer_phone", 7],
  ])("is refused with a wrong %s", async (field, value) => {
    const { id } = await submit({});
    const problem = await refusal(await patch(id, { [field]: value }));
    expect([problem.code, problem.errors?.[0].field]).toEqual(["invalid_input", field]);
  });

  it("never reaches viewers", async () => {
    const { unique_id } = await submit({ order_number: newNumber(), ...CUSTOMER });
    const manifest = await (await edge.anonymously(`/api/viewer/${unique_id}`)).text();
    expect(manifest).toContain(unique_id);
    expect(manifest).not.toMatch(/order|customer|Ковалёва|Example|912/);
  });

  it("is in the activity log without the customer's data", async () => {
    const order_number = newNumber();
    const { id } = await submit({ order_number, ...CUSTOMER });
    await changed(id, { order_number, ...CUSTOMER, customer_phone: null });
    const entries = (await edge.db.select().from(auditLog)).filter(({ objectId }) => objectId === id);
    expect(entries.map(({ detail }) => detail)).toEqual([
      null,
      {
        order_number,
        customer_name: "(not recorded)",
        customer_email: "(not recorded)",
        customer_phone: null,
      },
    ]);
  });
});

describe("an order number", () => {
  it("is refused for a second photo of the project, naming the first; nothing is stored", async () => {
    const order_number = newNumber();
    const first = await submit({ title: "Grandmother", order_number });
    const files = await edge.allFiles();
    const body = form({ image: png(), order_number });
    const problem = await refusal(await edge.fetch("/api/ar-content", { method: "POST", body }));
    expect([problem.status, problem.code]).toEqual([409, "order_number_taken"]);
    expect(problem.detail).toContain(`"${order_number}" belongs to the photo "Grandmother" (${first.id})`);
    expect(await edge.allFiles()).toEqual(files);

    const second = await submit({});
    expect((await refusal(await patch(second.id, { order_number, title: "Changed" }))).detail).toBe(
      problem.detail,
    );
    expect(await edge.content(second.id)).toEqual(second);
    // Its own number is not taken.
    expect((await patch(first.id, { order_number })).status).toBe(200);
  });

  it("can be used again in another project, but no photo with it can move there", async () => {
    const order_number = newNumber();
    const first = await submit({ order_number });
    const project_id = await newProject();
    const second = await submit({ order_number, project_id });
    const refused = await refusal(await patch(first.id, { project_id }));
    expect(refused.detail).toContain(second.id);
    expect((await patch(first.id, { project_id, order_number: null })).status).toBe(200);
  });

  it("is free again after its photo is deleted", async () => {
    const order_number = newNumber();
    const { id } = await submit({ order_number });
    expect((await edge.fetch(`/api/ar-content/${id}`, { method: "DELETE" })).status).toBe(204);
    expect(await submit({ order_number })).toMatchObject({ order_number });
  });

  it("is given to one of several photos at the same moment", async () => {
    const order_number = newNumber();
    const body = () => form({ image: png(), order_number });
    const sent = await Promise.all(
      [1, 2, 3].map(() => edge.fetch("/api/ar-content", { method: "POST", body: body() })),
    );
    expect(sent.map(({ status }) => status).sort()).toEqual([201, 409, 409]);

    const photos = await Promise.all([submit({}), submit({})]);
    const number = newNumber();
    const answers = await Promise.all(photos.map(({ id }) => patch(id, { order_number: number })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it("belongs to each photo of a list of addresses, and two of them cannot have the same", async () => {
    const order_number = newNumber();
    const image_url = "https://images.example.com/order.jpg";
    edge.sites.set(image_url, () => new Response(png()));
    const items = [order_number, order_number, newNumber()].map((number, n) => ({
      image_url,
      title: `Photo ${n}`,
      order_number: number,
      customer_name: `Customer ${n}`,
    }));
    const sent = await edge.json<BatchResult>("/api/ar-content/batch", json("POST", { items }));
    expect(sent.items.map(({ error }) => error?.code)).toEqual([undefined, "order_number_taken", undefined]);
    const { content_id } = sent.items[2];
    expect(await edge.content(content_id!)).toMatchObject({ customer_name: "Customer 2" });
  });
});
