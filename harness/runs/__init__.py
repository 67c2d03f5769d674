"""The run folder: manifest, record log, listing. It is the wall between the network and pure reading."""
