import { Button } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';
import { Note } from './Status';

// From our own origin: without this the library would fetch it from elsewhere.
prepareZXingModule({ overrides: { locateFile: (path: string, prefix: string) => (path.endsWith('.wasm') ? wasm : prefix + path) } });

type Trouble = 'insecure' | 'denied' | 'missing' | 'failed';

/** Camera looks for a barcode until it has one. */
export default function Camera({ onCode, onClose }: { onCode: (text: string) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState<Trouble>();
  const tell = useRef(onCode);
  useEffect(() => {
    tell.current = onCode;
  });
  useEffect(() => {
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
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
          textMode: 'Plain',
          tryInvert: true,
          maxNumberOfSymbols: 1,
        }).catch(() => []);
        const code = found.find((f) => f.isValid && f.text !== '');
        if (gone) return;
        if (code) {
          tell.current(code.text);
          return;
        }
      }
      timer = setTimeout(() => void look(), 60);
    };
    const start = async () => {
      if (!window.isSecureContext || !navigator.mediaDevices) return setTrouble('insecure');
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } }, audio: false });
      } catch (e) {
        const name = e instanceof DOMException ? e.name : '';
        return setTrouble(name === 'NotAllowedError' ? 'denied' : name === 'NotFoundError' ? 'missing' : 'failed');
      }
      if (gone || !video.current) {
        stream.getTracks().forEach((x) => x.stop());
        return;
      }
      video.current.srcObject = stream;
      await video.current.play().catch(() => {});
      void look();
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
      <Button variant="default" onClick={onClose}>
        {t('scan.close')}
      </Button>
    </div>
  );
}
