import { LANGUAGES, type Language } from "../../messages/languages.ts";
import { chooseLanguage, language, t } from "./language.ts";
import "./site-footer.css";

/** The footer of every page: the language. */
export function SiteFooter() {
  return (
    <footer class="site-footer">
      <label>
        <span class="visually-hidden">{t.frame.language}</span>
        <select
          value={language}
          onChange={({ currentTarget }) => chooseLanguage(currentTarget.value as Language)}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </footer>
  );
}
