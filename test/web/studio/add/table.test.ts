import { describe, expect, it } from "vitest";
import { baseName, isTable, isVideo, pairByName } from "../../../../web/studio/add/pairs.ts";
import { decodeTable, readTable } from "../../../../web/studio/add/table.ts";

const named = (...names: string[]) => names.map((name) => ({ name }));

describe("photos and videos", () => {
  it("are paired by the names of their files, in any case, folder and Unicode form", () => {
    const photos = named("shop/Anna.JPG", "boris.png", "Ёлка.jpg", "anna.jpeg", "alone.jpg");
    const videos = named(
      "anna.mp4",
      "Елка.mov".normalize("NFD"),
      "ёлка.webm".normalize("NFD"),
      "other.mp4",
      "ANNA.mov",
    );
    const pairs = pairByName(photos, videos);
    expect([...pairs].map(([photo, video]) => [photos[photo].name, video.name])).toEqual([
      ["shop/Anna.JPG", "anna.mp4"],
      ["Ёлка.jpg", videos[2].name],
      ["anna.jpeg", "ANNA.mov"],
    ]);
  });

  it("are told apart by their type or name", () => {
    expect(isVideo({ name: "a.mov", type: "" })).toBe(true);
    expect(isVideo({ name: "a", type: "video/mp4" })).toBe(true);
    expect(isVideo({ name: "mp4.jpg", type: "image/jpeg" })).toBe(false);
    expect(isTable({ name: "orders.CSV", type: "application/vnd.ms-excel" })).toBe(true);
    expect(baseName("C:\\photos\\Anna.1.jpg")).toBe("anna.1");
  });
});

describe("a table", () => {
  it("is read as spreadsheets export it: separators, quotes, line breaks and dates", () => {
    const text =
      '\ufeffFile;Title;Order_number;Name;E-mail;Phone;Expires\r\nanna.jpg;"Anna; ""in"" the\ngarden";A-17;Ada;ada@example.net;+7 912;31.12.2027\r\n\r\nBORIS.png;;18;;;;2027-1-5\r\n';
    const { rows, problems } = readTable(text);
    expect(problems).toEqual([]);
    expect(Object.fromEntries(rows)).toEqual({
      anna: {
        title: 'Anna; "in" the\ngarden',
        order_number: "A-17",
        customer_name: "Ada",
        customer_email: "ada@example.net",
        customer_phone: "+7 912",
        expires_at: new Date("2027-12-31T23:59:59.999").toISOString(),
      },
      boris: { order_number: "18", expires_at: new Date("2027-01-05T23:59:59.999").toISOString() },
    });
    expect(readTable("file,title\na.jpg,A").rows.get("a")).toEqual({ title: "A" });
    expect(readTable("file\ttitle\na.jpg\tA, B").rows.get("a")).toEqual({ title: "A, B" });
  });

  it("names what it cannot use", () => {
    expect(readTable("title,order\nAnna,1").problems).toEqual([expect.stringContaining("no column “file”")]);
    expect(readTable("").problems).toHaveLength(1);
    const { rows, problems } = readTable(
      [
        "file,order,colour,expires",
        "a.jpg,1,red,",
        ",2,,",
        "a.png,3,,",
        "b.jpg,4,,31.02.2027",
        `c.jpg,${"5".repeat(65)},,`,
      ].join("\n"),
    );
    expect([...rows.keys()]).toEqual(["a"]);
    expect(problems).toEqual([
      "The column “colour” is unknown.",
      "Row 3: The name of the photo's file is missing.",
      "Row 4: “a.png” has a row already.",
      "Row 5: “31.02.2027” is not a date. Write it as 2027-12-31 or 31.12.2027.",
      "Row 6: “order_number” has 65 characters. The limit is 64.",
    ]);
  });

  it("is decoded from UTF-8 and from Windows-1251", () => {
    expect(decodeTable(new TextEncoder().encode("файл"))).toBe("файл");
    expect(decodeTable(new Uint8Array([0xf4, 0xe0, 0xe9, 0xeb]))).toBe("файл");
  });
});
