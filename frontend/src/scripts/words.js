// Numbers and ages as krog.web.components.formats writes them on the server.
const locale = (lang) => ({ sl: "sl-SI", it: "it-IT", en: "en-GB" })[lang] ?? lang;

export function amount(value, lang, decimals) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  const places = decimals === undefined || decimals === "" ? null : Number(decimals);
  const most = size < 100 ? 3 : size < 1000 ? 2 : 1;
  return new Intl.NumberFormat(locale(lang), {
    useGrouping: "always", minimumFractionDigits: places ?? 0, maximumFractionDigits: places ?? most,
  }).format(value).replace("-", "−");
}

export function since(time, lang) {
  const seconds = Math.max(0, (Date.now() - time.getTime()) / 1000);
  const words = new Intl.RelativeTimeFormat(locale(lang), { numeric: "always" });
  if (seconds < 60) return { sl: "pravkar", it: "adesso", en: "just now" }[lang] ?? words.format(0, "minute");
  if (seconds < 3600) return words.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return words.format(-Math.floor(seconds / 3600), "hour");
  return new Intl.DateTimeFormat(locale(lang), { dateStyle: lang === "en" ? "long" : "medium" }).format(time);
}
