// Every page: who sees it in the navigation, in this order, and its code, which is fetched when the browser has
// nothing else to do, or when the page is opened. A page
// without services has an address and no entry. The first of a service's pages is where it starts.
import type { ComponentType } from 'react';
import { later, type Later } from '../components/Later';
import type { Setting } from '../lib/api/client';
import type { PageProps } from '../lib/router/page';

type Service = Setting['service'];

interface Page {
  services: Service[];
  component: Later<PageProps>;
}

const page = (load: () => Promise<{ default: ComponentType<PageProps> }>) => later(load, 'page');

const all: Service[] = ['api', 'manufacturer', 'distributor', 'pharmacy'];

export const pages = {
  // At the counter and at the dock.
  check: { services: ['pharmacy', 'distributor'], component: page(() => import('../features/counter/CheckPage')) },
  receive: { services: ['pharmacy', 'distributor'], component: page(() => import('../features/receive/ReceivePage')) },
  // What is made and sent.
  products: { services: ['manufacturer'], component: page(() => import('../features/make/ProductsPage')) },
  lots: { services: ['manufacturer'], component: page(() => import('../features/make/LotsPage')) },
  ship: { services: ['manufacturer', 'distributor'], component: page(() => import('../features/ship/ShipPage')) },
  capture: { services: ['manufacturer', 'distributor', 'pharmacy'], component: page(() => import('../features/upload/CapturePage')) },
  // For whoever has to find things.
  search: { services: ['api'], component: page(() => import('../features/search/SearchPage')) },
  recalls: { services: ['api', 'manufacturer'], component: page(() => import('../features/recall/RecallsPage')) },
  // For everyone.
  trace: { services: all, component: page(() => import('../features/trace/TracePage')) },
  verify: { services: all, component: page(() => import('../features/verify/VerifyPage')) },
  network: { services: all, component: page(() => import('../features/network/NetworkPage')) },
  // Without an entry in the navigation.
  lot: { services: [], component: page(() => import('../features/lot/LotPage')) },
  block: { services: [], component: page(() => import('../features/block/BlockPage')) },
  'sign-in': { services: [], component: page(() => import('../features/signin/SignInPage')) },
} satisfies Record<string, Page>;

export type PageName = keyof typeof pages;

export const isPage = (name: string): name is PageName => Object.hasOwn(pages, name);

/** navigation lists the pages of a service. */
export const navigation = (service: Service): PageName[] =>
  (Object.keys(pages) as PageName[]).filter((p) => (pages[p].services as Service[]).includes(service));

export const startOf = (service: Service): PageName => navigation(service)[0] ?? 'trace';

/** ahead fetches the code of a service's pages one after the other, those of its navigation first. */
export async function ahead(service: Service): Promise<void> {
  const own = navigation(service);
  for (const name of [...own, ...(Object.keys(pages) as PageName[]).filter((p) => pages[p].services.length === 0)]) {
    await pages[name].component.ahead();
  }
}
