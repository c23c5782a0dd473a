import { Button, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Note } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';
import { draw } from '../../lib/label/draw';
import { elements, lines, sheet, type Sheet } from '../../lib/label/label';
import { printed } from '../../lib/printed';
import { save } from '../../lib/save';
import './label.css';

const most = 500;

/** The label of one package, as a printer on the line makes it: a DataMatrix that scanners read, and the same in print. */
export default function LabelCard({
  gtin,
  lot,
  expiry,
  product,
}: {
  gtin: string;
  lot: string;
  expiry: string;
  product?: Schemas['Product'];
}) {
  const { t } = useTranslation();
  const [at, setAt] = useState(0);
  const [asked, setAsked] = useState('');
  const [text, setText] = useState('');
  const units = useQuery({
    queryKey: ['label', gtin, lot],
    queryFn: () => api.units(gtin, lot, { limit: String(most) }),
    staleTime: 60_000,
  });
  const list = units.data ?? [];
  const listed = list.findIndex((u) => u.serial === asked);
  // A serial that is not among the first ones is looked up: a label is only drawn for a package that there is.
  const found = useQuery({
    queryKey: ['label', gtin, lot, asked],
    queryFn: () => api.trace(printed(`01${gtin}21${asked}`)),
    enabled: asked !== '' && units.data !== undefined && listed < 0,
    staleTime: 60_000,
  });
  const trace = found.data?.data;
  const other = asked !== '' && listed < 0;
  const serial = other ? (trace?.known && trace.lot === lot ? asked : '') : list[listed >= 0 ? listed : at]?.serial;
  const choose = (e: FormEvent) => {
    e.preventDefault();
    // What a scanner sends, or the serial by itself.
    const scan = /21([^()]{1,20})$/.exec(text.trim().startsWith('(01)') ? text.trim() : '');
    setAsked(scan ? scan[1]! : text.trim());
  };
  const step = (by: number) => {
    setAt(Math.min(list.length - 1, Math.max(0, (listed >= 0 ? listed : at) + by)));
    setAsked('');
    setText('');
  };
  const here = listed >= 0 ? listed : at;
  return (
    <section className="card stack-18" aria-labelledby="label">
      <h2 id="label" style={{ margin: 0 }}>
        {t('make.label')}
      </h2>
      {units.isError && <Failure error={units.error} retry={() => void units.refetch()} />}
      {units.isPending && <Skeleton height={140} radius="lg" />}
      {list.length > 0 && (
        <form className="actions" onSubmit={choose}>
          <TextInput
            label={t('make.serial')}
            value={text}
            placeholder={serial}
            onChange={(e) => setText(e.currentTarget.value)}
            maxLength={80}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
          <Button type="submit" variant="default">
            {t('make.show')}
          </Button>
          <Button variant="default" disabled={!other && here === 0} onClick={() => step(-1)}>
            {t('make.previous')}
          </Button>
          <Button variant="default" disabled={!other && here >= list.length - 1} onClick={() => step(1)}>
            {t('make.next')}
          </Button>
        </form>
      )}
      {other && found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {other && found.isPending && <Skeleton height={120} radius="lg" />}
      {other && trace && serial === '' && <Note tone="warn" level={3} alert title={t('make.noSuchSerial', { serial: asked })} />}
      {serial && <Label gtin={gtin} lot={lot} expiry={expiry} serial={serial} product={product} />}
    </section>
  );
}

function Label({
  gtin,
  lot,
  expiry,
  serial,
  product,
}: {
  gtin: string;
  lot: string;
  expiry: string;
  serial: string;
  product?: Schemas['Product'];
}) {
  const { t, i18n } = useTranslation();
  const name = [product?.name, product?.strength].filter(Boolean).join(' ');
  const ndc = product?.ndc;
  const text = elements({ gtin, lot, expiry, serial });
  const label = useMemo(() => {
    const l = { gtin, lot, expiry, serial };
    return sheet(l, { name, ...(ndc ? { ndc } : {}) }, draw(elements(l)));
  }, [gtin, lot, expiry, serial, name, ndc]);
  useEffect(() => {
    const done = () => document.body.classList.remove('prints-label');
    window.addEventListener('afterprint', done);
    return () => {
      window.removeEventListener('afterprint', done);
      done();
    };
  }, []);
  const print = () => {
    document.body.classList.add('prints-label'); // label.css: then nothing else is printed
    window.print();
  };
  const number = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 0 });
  const file = `label-${gtin}-${serial.replace(/[^A-Za-z0-9]/g, '_')}`;
  const source = `data:image/svg+xml,${encodeURIComponent(label.svg)}`;
  return (
    <>
      <div className="label" data-testid="label" data-serial={serial}>
        <img
          src={source}
          alt={t('make.symbol', {
            text: [name, ndc && `NDC ${ndc}`, ...lines({ gtin, lot, expiry, serial }).map((l) => l.join(' '))].filter(Boolean).join(', '),
          })}
          style={{ width: `${label.width * 3}mm` }}
          data-width={label.width}
        />
      </div>
      <p className="quiet" style={{ margin: 0 }}>
        <span className="mono">{text.replace(/\^(\d{3})/g, (_, c: string) => String.fromCharCode(Number(c)))}</span>
        <br />
        {t('make.labelHelp', { width: number.format(label.width), height: number.format(label.height) })}
      </p>
      <div className="actions">
        <Button onClick={print}>{t('make.print')}</Button>
        <Button variant="default" onClick={() => save(new TextEncoder().encode(label.svg), `${file}.svg`, 'image/svg+xml')}>
          SVG
        </Button>
        <Button variant="default" onClick={() => void png(source, label).then((b) => save(b, `${file}.png`, 'image/png'))}>
          PNG
        </Button>
      </div>
    </>
  );
}

/** png paints a label with ten pixels for a module, some 600 to the inch. */
async function png(source: string, label: Sheet): Promise<Uint8Array> {
  const perMillimetre = 10 / 0.423;
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(label.width * perMillimetre);
  canvas.height = Math.round(label.height * perMillimetre);
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob>((resolve, reject) =>
    canvas.toBlob((b) => (b ? resolve(b) : reject(new Error('no picture was made'))), 'image/png'),
  );
  return new Uint8Array(await blob.arrayBuffer());
}
