//! What a SUBSCRIBE asks for beyond MQTT.

use flotilla_codec::{
    UserProperties,
    agreed::{self, InvalidOrderKey, OrderKey},
};

/// What the user properties of a SUBSCRIBE ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// Delivery by this key.
    pub(super) order: Option<OrderKey>,
    /// The retained messages, once for this text.
    pub(super) retained: Option<String>,
}

impl Asked {
    /// Reads them; others are nobody's business here.
    pub(super) fn read(user: &UserProperties) -> Result<Self, InvalidOrderKey> {
        let of = |wanted: &str| user.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let by_key = of(agreed::ORDER) == Some(agreed::ORDER_KEYED);
        let order = match of(agreed::ORDER_KEY).filter(|_| by_key) {
            Some(pattern) => Some(pattern.parse()?),
            None => by_key.then(OrderKey::default),
        };
        Ok(Self { order, retained: of(agreed::RETAINED_ONCE).map(str::to_owned) })
    }
}
