/** Days of date fields, in this browser's time zone. */

/** Returns the end of a day for the API; null for no day. */
export function endOf(day: string): string | null {
  return day === "" ? null : new Date(`${day}T23:59:59.999`).toISOString();
}

/** Returns the day of a time, for a date field; empty for null. */
export function dayOf(time: string | null): string {
  if (time === null) return "";
  const date = new Date(time);
  const digits = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${digits(date.getMonth() + 1)}-${digits(date.getDate())}`;
}
