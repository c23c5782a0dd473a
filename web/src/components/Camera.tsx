import { Button } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';
import { coded, isNew, type Look } from '../lib/scan/camera';
import { Note, Status } from './Status';
import './Camera.css';

// From our own origin: without this the library would fetch it from elsewhere.
prepareZXingModule({ overrides: { locateFile: (path: string, prefix: string) => (path.endsWith('.wasm') ? wasm : prefix + path) } });

type Trouble = 'insecure' | 'denied' | 'missing' | 'busy' | 'failed';

const troubles: Record<string, Trouble> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
};

/** Camera tells every barcode of a package or case that comes into view, once. It is closed by whoever opened it. */
export default function Camera({ onCode, onClose }: { onCode: (text: string) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState<Trouble>();
  const [other, setOther] = useState(false);
  const tell = useRef(onCode);
  useEffect(() => {
    tell.current = onCode;
  });
  useEffect(() => {
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    let last: Look | undefined;
    const canvas = document.createElement('canvas');
    const look = async () => {
      const v = video.current;
      if (gone || !v) return;
      if (v.videoWidth > 0) {
        canvas.width = v.videoWidth;
        canvas.height = v.videoHeight;
        const context = canvas.getContext('2d', { willReadFrequently: true })!;
        context.drawImage(v, 0, 0);
        const found = await readBarcodes(context.getImageData(0, 0, canvas.width, canvas.height), {
          formats: ['DataMatrix', 'QRCode', 'Code128'],
          textMode: 'Plain', // fields separated by GS, as they are printed
          tryInvert: true,
          maxNumberOfSymbols: 4, // a box has others beside the one that is meant
        }).catch((e: unknown) => {
          setTrouble('failed');
          throw e;
        });
        if (gone) return;
        const read = found.filter((f) => f.isValid);
        const text = read.map((f) => coded(f.symbologyIdentifier, f.text)).find((x) => x !== undefined);
        setOther(read.length > 0 && text === undefined);
        if (text !== undefined) {
          const now = performance.now();
          const fresh = isNew(last, text, now);
          last = { text, at: now };
          if (fresh) tell.current(text);
        }
      }
      timer = setTimeout(() => void look().catch(() => {}), 60);
    };
    const start = async () => {
      if (!window.isSecureContext || !navigator.mediaDevices) return setTrouble('insecure');
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } }, audio: false });
      } catch (e) {
        return setTrouble((e instanceof DOMException && troubles[e.name]) || 'failed');
      }
      if (gone || !video.current) {
        stream.getTracks().forEach((x) => x.stop());
        return;
      }
      video.current.srcObject = stream;
      await video.current.play().catch(() => {});
      await look().catch(() => {});
    };
    void start();
    return () => {
      gone = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((x) => x.stop());
    };
  }, []);
  return (
    <div className="camera" data-testid="camera">
      {trouble ? (
        <Note tone="warn" alert title={t(`scan.${trouble}`)}>
          <p>{t('scan.otherwise')}</p>
        </Note>
      ) : (
        <video ref={video} muted playsInline aria-label={t('scan.view')} />
      )}
      {other && !trouble && <Status tone="warn">{t('scan.other')}</Status>}
      <Button variant="default" onClick={onClose}>
        {t('scan.close')}
      </Button>
    </div>
  );
}
