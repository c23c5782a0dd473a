// All Spanish texts, in a file that is fetched when somebody reads Spanish.
import es from './es.json';

const features = import.meta.glob<Record<string, object>>('../features/*/es.json', { eager: true, import: 'default' });

export default Object.assign({}, es, ...Object.values(features)) as Record<string, object>;
