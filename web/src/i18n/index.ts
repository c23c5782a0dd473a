// Every text on the screen comes from a catalog; test/catalogs.test.ts holds that both have the same keys.
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import en from './en.json';

// A feature's texts stand in its folder, under the folder's name. English comes with the page, as the fallback of the rest.
const english = import.meta.glob<Record<string, object>>('../features/*/en.json', { eager: true, import: 'default' });

export const languages = ['en', 'es'] as const;
export type Language = (typeof languages)[number];
const kept = 'verilot.language';

const isLanguage = (l: string | null | undefined): l is Language => languages.includes(l as Language);

function preferred(): Language {
  try {
    const chosen = localStorage.getItem(kept);
    if (isLanguage(chosen)) return chosen;
  } catch {
    // Storage may be forbidden: then the choice lasts as long as the page.
  }
  return navigator.languages.map((l) => l.slice(0, 2)).find(isLanguage) ?? 'en';
}

/** load reports whether the texts of a language are there. Without a network they may not come. */
async function load(l: Language): Promise<boolean> {
  if (l === 'es' && !i18next.hasResourceBundle('es', 'translation')) {
    try {
      i18next.addResourceBundle('es', 'translation', (await import('./spanish')).default);
    } catch {
      return false;
    }
  }
  return true;
}

/** fetchLanguages fetches what may be chosen later, for when there is no network. */
export async function fetchLanguages(): Promise<void> {
  for (const l of languages) await load(l);
}

/** setLanguage changes the language of the page. It stays as it is when the texts cannot be fetched. */
export async function setLanguage(l: Language): Promise<void> {
  if (!(await load(l))) return;
  await i18next.changeLanguage(l);
  document.documentElement.lang = l;
  try {
    localStorage.setItem(kept, l);
  } catch {
    // See preferred.
  }
}

export async function startLanguages(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: Object.assign({}, en, ...Object.values(english)) } },
    lng: 'en',
    fallbackLng: 'en',
    interpolation: { escapeValue: false }, // React escapes
  });
  const wanted = preferred();
  const l = (await load(wanted)) ? wanted : 'en';
  await i18next.changeLanguage(l);
  document.documentElement.lang = l;
}
