import type { HttpListenerConfiguration } from './listener-configuration.ts';
import { ElasticsearchProtocol } from './protocols/elasticsearch.ts';
import { isLinesRequest, linesProtocol } from './protocols/lines.ts';
import { isLokiRequest, lokiProtocol } from './protocols/loki.ts';
import { isSplunkRequest, SplunkProtocol } from './protocols/splunk.ts';
import type { PushProtocol, PushRequest } from './push-protocol.ts';

/** The protocol of each request to a listener. Elasticsearch has the most paths, and also those that no protocol has. */
export function protocolsOf({
  elasticsearchVersion,
}: HttpListenerConfiguration): (request: PushRequest) => PushProtocol {
  const splunk = new SplunkProtocol();
  const elasticsearch = new ElasticsearchProtocol(elasticsearchVersion);
  return (request) => {
    if (isLinesRequest(request)) return linesProtocol;
    if (isLokiRequest(request)) return lokiProtocol;
    return isSplunkRequest(request) ? splunk : elasticsearch;
  };
}
