// Every page: who sees it in the navigation, in this order, and its code, which is fetched when it is first opened. A page
// without services has an address and no entry. The first of a service's pages is where it starts.
import { lazy, type ComponentType } from 'react';
import type { Setting } from '../lib/api/client';
import type { PageProps } from '../lib/router/page';

type Service = Setting['service'];

interface Page {
  services: Service[];
  component: ComponentType<PageProps>;
}

const all: Service[] = ['api', 'manufacturer', 'distributor', 'pharmacy'];

export const pages = {
  // At the counter and at the dock.
  check: { services: ['pharmacy', 'distributor'], component: lazy(() => import('../features/counter/CheckPage')) },
  receive: { services: ['pharmacy', 'distributor'], component: lazy(() => import('../features/receive/ReceivePage')) },
  // What is made and sent.
  products: { services: ['manufacturer'], component: lazy(() => import('../features/make/ProductsPage')) },
  lots: { services: ['manufacturer'], component: lazy(() => import('../features/make/LotsPage')) },
  ship: { services: ['manufacturer', 'distributor'], component: lazy(() => import('../features/ship/ShipPage')) },
  capture: { services: ['manufacturer', 'distributor', 'pharmacy'], component: lazy(() => import('../features/upload/CapturePage')) },
  // For whoever has to find things.
  search: { services: ['api'], component: lazy(() => import('../features/search/SearchPage')) },
  recalls: { services: ['api', 'manufacturer'], component: lazy(() => import('../features/recall/RecallsPage')) },
  // For everyone.
  trace: { services: all, component: lazy(() => import('../features/trace/TracePage')) },
  verify: { services: all, component: lazy(() => import('../features/verify/VerifyPage')) },
  network: { services: all, component: lazy(() => import('../features/network/NetworkPage')) },
  // Without an entry in the navigation.
  lot: { services: [], component: lazy(() => import('../features/lot/LotPage')) },
  block: { services: [], component: lazy(() => import('../features/block/BlockPage')) },
  'sign-in': { services: [], component: lazy(() => import('../features/signin/SignInPage')) },
} satisfies Record<string, Page>;

export type PageName = keyof typeof pages;

export const isPage = (name: string): name is PageName => Object.hasOwn(pages, name);

/** navigation lists the pages of a service. */
export const navigation = (service: Service): PageName[] =>
  (Object.keys(pages) as PageName[]).filter((p) => (pages[p].services as Service[]).includes(service));

export const startOf = (service: Service): PageName => navigation(service)[0] ?? 'trace';
