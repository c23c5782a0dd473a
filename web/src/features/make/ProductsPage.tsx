import { Button, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { api, type Body } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';
import { ByHand } from './ByHand';

export default function ProductsPage() {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const { party, may } = useMay();
  const q = route.query.get('q') ?? '';
  const [text, setText] = useState(q);
  const [byHand, setByHand] = useState(false);
  const found = useQuery({ queryKey: ['ndc', q], queryFn: () => api.ndc(q, 30), staleTime: Infinity });
  const ours = useQuery({ queryKey: ['products', party], queryFn: () => api.products({ party, limit: 200 }), enabled: party !== '' });
  const registered = new Set((ours.data?.data.products ?? []).map((p) => p.gtin));
  const [last, setLast] = useState('');
  const register = useCommand('products');
  const send = (body: Body<'products'>) => {
    setLast(body.gtin);
    register.send(body);
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    go(`/products${text.trim() === '' ? '' : `?q=${encodeURIComponent(text.trim())}`}`);
  };
  const source = found.data?.data.source;
  return (
    <div className="stack-18">
      <div>
        <h1>{t('make.products')}</h1>
        <form role="search" className="scan" onSubmit={submit}>
          <TextInput
            size="md"
            label={t('make.find')}
            description={t('make.findHelp')}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            autoFocus
            autoComplete="off"
          />
          <Button type="submit" size="md">
            {t('make.search')}
          </Button>
          <Button size="md" variant="default" onClick={() => setByHand((b) => !b)} aria-expanded={byHand}>
            {t('make.byHand')}
          </Button>
        </form>
      </div>
      <JobCard title={t('make.registering')} job={register.job} error={register.error} lost={register.lost} />
      {register.job?.state === 'indexed' && register.job.success && (
        <p style={{ margin: 0 }}>
          <Link to={`/lots/new?gtin=${last}`} className="link-button">
            {t('make.lotOf')}
          </Link>
        </p>
      )}
      {byHand && <ByHand send={send} busy={register.busy} />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={220} radius="lg" />}
      {found.data && (
        <section className="card" aria-labelledby="found">
          <h2 id="found">{q === '' ? t('make.directory') : t('make.found', { count: (found.data.data.hits ?? []).length })}</h2>
          {(found.data.data.hits ?? []).length === 0 && (
            <Note tone="calm" level={3} title={t('make.none')}>
              <p>{t('make.noneHelp')}</p>
            </Note>
          )}
          <ul className="rows">
            {(found.data.data.hits ?? []).map((h) => (
              <li key={h.ndc} className="product" data-ndc={h.ndc}>
                <div>
                  <strong>
                    {h.name} {h.strength}
                  </strong>
                  <div className="quiet">
                    {[h.genericName !== h.name && h.genericName, h.dosageForm, h.description].filter(Boolean).join(' · ')}
                  </div>
                  <div className="quiet">
                    {h.labeler} · NDC <span className="mono">{h.ndc}</span> · GTIN <span className="mono">{h.gtin}</span>
                  </div>
                </div>
                <div className="actions">
                  {registered.has(h.gtin) ? (
                    <>
                      <Status tone="good">{t('make.registered')}</Status>
                      <Link to={`/lots/new?gtin=${h.gtin}`} className="link-button">
                        {t('make.newLot')}
                      </Link>
                    </>
                  ) : h.yours ? (
                    <Button
                      disabled={!may || register.busy}
                      onClick={() =>
                        send({
                          gtin: h.gtin,
                          ndc: h.ndc,
                          ndcFormat: 'US_FDA_NDC',
                          name: h.name,
                          manufacturer: h.labeler,
                          dosageForm: h.dosageForm,
                          strength: h.strength,
                          netContent: h.description,
                        })
                      }
                    >
                      {t('make.register')}
                    </Button>
                  ) : (
                    <Status tone="calm">{t('make.others')}</Status>
                  )}
                </div>
              </li>
            ))}
          </ul>
          {!may && <SignInFirst />}
          {source && <p className="quiet">{t('make.source', { name: source.name, packages: source.packages })}</p>}
        </section>
      )}
      {(ours.data?.data.products ?? []).length > 0 && (
        <section className="card" aria-labelledby="ours">
          <h2 id="ours">{t('make.ours')}</h2>
          <ul className="rows">
            {ours.data!.data.products!.map((p) => (
              <li key={p.gtin}>
                <Link to={`/lots?gtin=${p.gtin}`} className="row-link">
                  <strong>
                    {p.name} {p.strength}
                  </strong>
                  <span className="quiet mono">{p.ndc}</span>
                  <span className="quiet mono">{p.gtin}</span>
                </Link>
              </li>
            ))}
          </ul>
          <p style={{ margin: 0 }}>
            <Link to={path('lots')}>{t('make.toLots')}</Link>
          </p>
        </section>
      )}
    </div>
  );
}
