import { describe, expect, it } from "vitest";
import { checkAddress } from "../../../worker/storage/address.ts";
import { StorageError } from "../../../worker/storage/provider.ts";

const check = (address: string | URL) => checkAddress(address, { allowPrivate: false });

/** The sentence of the refusal. */
function addressRefusal(address: string, allowPrivate = false): string {
  try {
    checkAddress(address, { allowPrivate });
  } catch (error) {
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ code: "invalid_config" });
    return (error as StorageError).message;
  }
  throw new Error(`${address} was let through.`);
}

describe("an address that the edge may request", () => {
  it.each([
    "https://storage.yandexcloud.net",
    "https://s3.eu-central-1.amazonaws.com/bucket/key?X-Amz-Signature=0",
    "https://0123456789abcdef.r2.cloudflarestorage.com",
    "https://minio.photo-shop.com:9000/",
    "https://uploader1.disk.yandex.net:8443/upload-target/a",
    "https://хранилище.рф/",
    "https://storage.yandexcloud.net./",
    "https://10.example.com/",
    "https://127.0.0.1.example.com/",
    "https://8.8.8.8/",
    "https://172.15.255.255/",
    "https://172.32.0.0/",
    "https://100.63.255.255/",
    "https://100.128.0.0/",
    "https://[2606:4700:4700::1111]/",
    "https://[2a02:6b8::1]:9000/",
  ])("%s", (address) => {
    expect(check(address).href).toBe(new URL(address).href);
    expect(check(new URL(address)).href).toBe(new URL(address).href);
  });

  it.each([
    "http://127.0.0.1:9000",
    "http://localhost:8787/cdn-cgi/local/r2/s3/vivimark",
    "http://[::1]:80/",
    "https://minio.internal/",
    "http://minio:9000/",
    "http://192.168.1.7:6379/",
  ])("in development, %s", (address) => {
    expect(checkAddress(address, { allowPrivate: true }).href).toBe(new URL(address).href);
  });
});

describe("refused is", () => {
  it.each([
    "",
    "storage",
    "//host/a",
    "https://",
    "https:///",
    "https://a b/",
    "https://[::1/",
    "https://%00/",
  ])("an invalid address: %j", (address) =>
    expect(addressRefusal(address)).toContain("This address cannot be used"),
  );

  it.each([
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "data:,a",
    "ws://example.com/",
  ])("another protocol: %s", (address) => expect(addressRefusal(address)).toMatch(/https/));

  it.each(["ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:70/"])(
    "another protocol in development too: %s",
    (address) => expect(addressRefusal(address, true)).toMatch(/https/),
  );

  it.each([true, false])("a user name or a password, never repeated (development: %s)", (allowPrivate) => {
    for (const address of ["https://user@example.com/", "https://user:hunter2@example.com/"]) {
      const sentence = addressRefusal(address, allowPrivate);
      expect(sentence).toMatch(/user name or password/);
      expect(sentence).not.toMatch(/hunter2/);
    }
  });

  it.each([1, 22, 25, 53, 80, 110, 445, 1023, 2375, 3306, 5432, 6379, 9200, 11211, 27017])(
    "port %i",
    (port) => expect(addressRefusal(`https://example.com:${port}/`)).toContain(`port ${port}`),
  );

  it.each([
    "localhost",
    "LOCALHOST",
    "localhost.",
    "minio.localhost",
    "minio",
    "printer.local",
    "metadata.google.internal",
    "metadata.google.internal.",
    "nas.lan",
    "router.home.arpa",
    "1.0.0.127.in-addr.arpa",
    "git.corp",
    "s3.test",
    "hidden.onion",
    "compiler.production.svc",
    "vault.service.consul",
    "a..com",
    "ⓛocalhost",
  ])("a private name: %s", (host) => expect(addressRefusal(`https://${host}/`)).toMatch(/name/));

  it.each([
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
  ])("an IPv4 address that is not public: %s", (host) =>
    expect(addressRefusal(`https://${host}/`)).toContain(`${host} is a`),
  );

  it.each([
    ["one number", "2130706433"],
    ["hexadecimal", "0x7f000001"],
    ["hexadecimal parts", "0x7f.0x0.0x0.0x1"],
    ["octal", "017700000001"],
    ["octal parts", "0177.0.0.01"],
    ["two parts", "127.1"],
    ["three parts", "127.0.1"],
    ["a dot at the end", "127.0.0.1."],
    ["zeros", "127.000.000.001"],
    ["full-width digits", "１２７.０.０.１"],
    ["ideographic dots", "127。0。0。1"],
    ["circled digits", "①②⑦.⓪.⓪.①"],
    ["percent signs", "%31%32%37.0.0.1"],
    ["nothing but zero", "0"],
  ])("127.0.0.1 or 0.0.0.0 in another spelling: %s", (_spelling, host) =>
    expect(addressRefusal(`https://${host}/`)).toMatch(/(127\.0\.0\.1|0\.0\.0\.0) is a/),
  );

  it.each([
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "ff02::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff:fff::1",
    "4000::1",
  ])("an IPv6 address that is not public: %s", (address) =>
    expect(addressRefusal(`https://[${address}]/`)).toMatch(/address; expected a server on the Internet/),
  );

  it("an address with a zone", () => {
    expect(addressRefusal("https://[fe80::1%25eth0]/")).toContain("not a URL");
  });

  it("reported without the rest of the address, which may be signed", () => {
    expect(addressRefusal("https://127.0.0.1/bucket?X-Amz-Signature=deadbeef")).not.toMatch(
      /deadbeef|bucket/,
    );
  });
});
