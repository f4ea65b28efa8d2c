//! Forms with an image file and the fields of a request.

/// Declares the schema of a form from a request's fields.
macro_rules! form {
    ($form:ident of $request:ident: $about:literal) => {
        #[doc = $about]
        pub(crate) struct $form;

        impl utoipa::PartialSchema for $form {
            fn schema() -> $crate::api::decode::value::Schema {
                $crate::api::decode::describe::form::<$request>(&[$about])
            }
        }

        impl utoipa::ToSchema for $form {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($form).into()
            }
        }
    };
}

pub(crate) use form;
